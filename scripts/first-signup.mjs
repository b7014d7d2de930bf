/**
 * The shell commands that sign up a user, each time with another address. "Try it" in README.md begins with the same.
 *
 * @param {string} url of the auth service
 */
export function firstSignup(url) {
  // zsh reads the brackets of an IPv6 address as a pattern of file names.
  const address = url.includes('[') ? `'${url}/signup'` : `${url}/signup`
  return `email=ada-$(openssl rand -hex 4)@example.com
curl -s ${address} -H 'Content-Type: application/json' \\
  -d '{"email": "'$email'", "username": "Ada", "password": "correct horse battery"}'`
}
