// The page of the chat while its token expires, its service is killed, and its network is away.
import t from 'tap'
import { startAuthAndChat } from './chat-pair.ts'
import {
  isLive,
  joinRoom,
  makeRoom,
  press,
  reads,
  SKIPS_BROWSER,
  saidAs,
  signUp,
  startBrowser,
  write
} from './chat-people.ts'

t.test('a token is renewed before its end, on the same socket', { skip: SKIPS_BROWSER }, async (t) => {
  const { auth, chat } = await startAuthAndChat(t, { auth: { ACCESS_TOKEN_TTL: '6s' } })
  const browser = await startBrowser(t)
  const { page, sockets, complaints } = await signUp(browser, chat.url, 'Ada')
  const life = page.locator('#life')
  t.match(await life.innerText(), /^Token 0:0[1-6]$/)
  await makeRoom(page, 'Tea')
  for (const _ of [1, 2]) {
    await page.waitForResponse((answer) => answer.url() === `${auth.url}/refresh` && answer.ok())
    await page.getByText('The token was renewed').waitFor()
    t.match(await life.innerText(), /^Token 0:0[2-6]$/)
  }
  await write(page, 'after two lives')
  await reads(page, 'after two lives')
  t.equal(sockets.length, 1)

  await t.test('who slept through it comes back with a new one, and what was said meanwhile is there', async (t) => {
    const closed = page.locator('#status:not([data-state="open"])').waitFor()
    await page.route(`${auth.url}/refresh`, (route) => route.abort())
    await closed
    await write(page, 'written meanwhile')
    await page.unroute(`${auth.url}/refresh`)
    await isLive(page)
    await reads(page, 'written meanwhile')
    t.ok(sockets.length > 1)
    t.equal(await page.locator('#sign-in').isVisible(), false)
  })
  t.strictSame(complaints, [])
})

t.test('breaks', { skip: SKIPS_BROWSER }, async (t) => {
  const { chat } = await startAuthAndChat(t)
  const browser = await startBrowser(t)
  const ada = await signUp(browser, chat.url, 'Ada')
  const bob = await signUp(browser, chat.url, 'Bob')
  await makeRoom(ada.page, 'Tea')
  await joinRoom(bob.page, 'Tea')

  await t.test('the service is killed: what is written waits, and is there once when it is back', async (t) => {
    await write(ada.page, 'before')
    await reads(bob.page, 'before')
    await chat.kill()
    await ada.page.getByText('There is no connection.').waitFor()
    await ada.page.getByRole('button', { name: 'Try now' }).waitFor()
    await write(ada.page, 'first')
    await write(ada.page, 'second')
    t.equal(await ada.page.getByText('Waiting to be sent').count(), 2)
    await reads(ada.page, 'before')
    await chat.start()
    await isLive(bob.page)
    await reads(bob.page, 'second')
    await isLive(ada.page)
    await reads(ada.page, 'second')
    for (const { page } of [ada, bob]) {
      const texts = await page.locator('#past .text, #live .text').allInnerTexts()
      t.strictSame(texts, ['before', 'first', 'second'], 'each once, in the order in which it was written')
      t.equal(await page.locator('#unsent li').count(), 0)
    }
  })

  await t.test('a stopped service says when to come back, and the pages are live again', async () => {
    await chat.stop()
    await bob.page.locator('#status[data-state="waiting"]').waitFor()
    await chat.start()
    for (const { page } of [ada, bob]) await isLive(page)
    await write(bob.page, 'here again')
    await reads(ada.page, 'here again')
  })

  await t.test('a lost answer does not double a message', async (t) => {
    // The request arrives, and the connection ends before the answer does.
    await ada.page.evaluate(`{
      const send = WebSocket.prototype.send
      WebSocket.prototype.send = function (text) {
        send.call(this, text)
        if (!text.includes('"send"')) return
        WebSocket.prototype.send = send
        this.onmessage = null
        this.close()
      }
    }`)
    await write(ada.page, 'once')
    await reads(bob.page, 'once')
    await isLive(ada.page)
    await ada.page.locator('#unsent li').waitFor({ state: 'detached' })
    await write(ada.page, 'and on')
    await reads(bob.page, 'and on')
    for (const { page } of [ada, bob]) t.equal(await saidAs(page, 'once').count(), 1)
  })

  await t.test('a message that is refused can be sent again, or discarded', async (t) => {
    const { page } = ada
    const limited = 'Too many messages at once.'
    for (let sent = 0; !(await page.getByText(limited).first().isVisible()); sent += 1)
      await write(page, `flood ${sent}`)
    const refused = page.locator('#unsent .refused')
    const count = await refused.count()
    await press(refused.first(), 'Discard')
    t.equal(await refused.count(), count - 1)
    await page.context().close()
  })

  t.strictSame([...ada.complaints, ...bob.complaints], [], 'the browsers have nothing to complain of')
})
