// Sends logins of nobody at a steady rate, and prints for each its status, its milliseconds and its Retry-After, as JSON.
// Arguments: the service's URL, logins a second, seconds.
import http from 'node:http'

const [url, rate, seconds] = [process.argv[2], Number(process.argv[3]), Number(process.argv[4])]
const agent = new http.Agent({ keepAlive: true })
/** @type {{ status: number | undefined, ms: number, retry: string | undefined }[]} */
const answers = []

/** @param {number} i */
function login(i) {
  const sent = performance.now()
  const body = JSON.stringify({ email: `nobody${i}@example.com`, password: 'a guess' })
  const headers = { 'content-type': 'application/json', 'content-length': body.length }
  return new Promise((resolve, reject) => {
    http
      .request(`${url}/login`, { method: 'POST', agent, headers }, (answer) => {
        const { statusCode: status, headers } = answer
        answers.push({ status, ms: performance.now() - sent, retry: headers['retry-after'] })
        answer.resume().on('end', resolve)
      })
      .on('error', reject)
      .end(body)
  })
}

const all = []
const begun = performance.now()
while (all.length < rate * seconds) {
  const due = Math.min(rate * seconds, Math.ceil(((performance.now() - begun) * rate) / 1000))
  // A few at a time, so that answers are read between them.
  for (let i = 0; i < 10 && all.length < due; i += 1) all.push(login(all.length))
  await new Promise((resolve) => setTimeout(resolve, 5))
}
await Promise.all(all)
agent.destroy()
process.stdout.write(JSON.stringify(answers))
