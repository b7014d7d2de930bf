/**
 * The shell lines that sign somebody up, each time with another address; README.md's "Try it" begins with just these.
 *
 * @param {string} url of the auth service
 */
export function firstSignup(url) {
  // zsh takes the brackets of an IPv6 address for a pattern of file names.
  const address = url.includes('[') ? `'${url}/signup'` : `${url}/signup`
  return `email=ada-$(openssl rand -hex 4)@example.com
curl -s ${address} -H 'Content-Type: application/json' \\
  -d '{"email": "'$email'", "username": "Ada", "password": "correct horse battery"}'`
}
