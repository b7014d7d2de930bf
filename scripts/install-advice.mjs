/** What in npm's words points at what. The first that fits is taken. */
const CAUSES = /** @type {const} */ ([
  [
    /\b(ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ETIMEDOUT|ENETUNREACH|EHOSTUNREACH|ERR_SOCKET_TIMEOUT)\b/,
    'npm does not reach its registry. Check the network, and behind a proxy what `npm config get proxy https-proxy registry` says; then begin again.'
  ],
  [
    /\b(UNABLE_TO_GET_ISSUER_CERT\w*|SELF_SIGNED_CERT\w*|CERT_\w+)\b/,
    'npm does not trust the certificate of its registry. Set `cafile` of npm, or NODE_EXTRA_CA_CERTS, to that of your network; then begin again.'
  ],
  [/\b(E401|E403)\b/, 'The registry refuses npm. Check who you are there with `npm whoami`; then begin again.'],
  [/\bENOSPC\b/, 'The disk is full. Make room, then begin again.'],
  [
    /\b(EACCES|EPERM|EROFS)\b/,
    'npm may not write where it has to. Make this folder, its node_modules and `npm config get cache` your own; then begin again.'
  ],
  [
    /\bEINTEGRITY\b/,
    'A package differs from what package-lock.json has. Run `npm cache clean --force`, then begin again.'
  ]
])

/**
 * What to do after npm has failed.
 *
 * @param {string} said by npm
 */
export function installAdvice(said) {
  const cause = CAUSES.find(([pattern]) => pattern.test(said))
  return cause ? cause[1] : 'What npm said is above. Once that is put right, begin again.'
}
