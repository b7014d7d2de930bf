// The page of the chat with real services: two people in two browsers.
import t from 'tap'
import { startAuthAndChat } from './chat-pair.ts'
import {
  choose,
  isLive,
  joinRoom,
  load,
  makeRoom,
  openChat,
  PASSWORD,
  press,
  reads,
  SKIPS_BROWSER,
  saidAs,
  signUp,
  startBrowser,
  write
} from './chat-people.ts'

t.test('two people', { skip: SKIPS_BROWSER }, async (t) => {
  const { auth, chat } = await startAuthAndChat(t, { chat: { SOCKETS_PER_USER: '2' } })
  const browser = await startBrowser(t)
  const ada = await signUp(browser, chat.url, 'Ada')
  const bob = await signUp(browser, chat.url, 'Bob')

  await t.test('talk live in a private room, to which a link leads', async (t) => {
    await makeRoom(ada.page, 'Tea', 'Private')
    await choose(ada.page, 'About this room', 'Invite people…')
    const link = await ada.page.getByLabel('Link').inputValue()
    t.match(link, /#room=[\da-f-]{36}&code=\S{22}$/)
    await press(ada.page, 'Close')
    await load(bob.page, link)
    await press(bob.page, 'Join')
    await bob.page.getByRole('heading', { name: 'Tea' }).waitFor()
    t.notMatch(bob.page.url(), 'code=', 'the code has left the address bar')
    await ada.page.getByText('Bob joined').waitFor()
    await write(ada.page, 'Is it ready?')
    await reads(bob.page, 'Is it ready?')
    await write(bob.page, '<img src=x onerror=alert(1)>')
    await reads(ada.page, '<img src=x onerror=alert(1)>')
    t.equal(await ada.page.locator('img').count(), 0, 'text stays text')
    t.equal(
      await ada.page.locator('[role=log]').getByText('<img', { exact: false }).count(),
      1,
      'read aloud, as it is live'
    )
  })

  await t.test('no script can read a token: not in cookies, not in storage, not in what was sent', async (t) => {
    for (const { page, sockets } of [ada, bob]) {
      t.equal(await page.evaluate('document.cookie'), '')
      t.equal(await page.evaluate('localStorage.length + sessionStorage.length'), 0)
      for (const socket of sockets) t.match(socket, /\/ws\?ticket=[\w-]{43}$/)
      const names = (await page.context().cookies()).map(({ name, httpOnly }) => `${name} ${httpOnly}`)
      t.strictSame(names.sort(), ['refresh_token true', 'token true'])
    }
  })

  await t.test('a member deletes their own, a moderator also those of others, and each sees it at once', async (t) => {
    const { page } = bob
    const menusOf = async (name: string) => {
      await page
        .getByRole('button', { name: `Message of ${name}` })
        .last()
        .click()
      const items = await page.getByRole('menuitem').allInnerTexts()
      await page.keyboard.press('Escape')
      return items
    }
    t.strictSame(await menusOf('Ada'), ['Copy the text'])
    t.strictSame(await menusOf('Bob'), ['Copy the text', 'Delete the message…'])
    await choose(ada.page, 'About Bob', 'Change the role…')
    await ada.page.getByRole('dialog').getByLabel('Moderator').check()
    await press(ada.page.getByRole('dialog'), 'Save')
    await page.getByText('Ada made Bob a moderator').waitFor()
    t.strictSame(await menusOf('Ada'), ['Copy the text', 'Delete the message…'], 'and none to remove the owner')
    await choose(page, 'Message of Ada', 'Delete the message…', 'Delete the message')
    await ada.page.getByText('This message was deleted.').waitFor()
    t.equal(await saidAs(ada.page, 'Is it ready?').count(), 0)
    await load(page, page.url())
    await page.getByText('This message was deleted.').waitFor()
  })

  await t.test('a kick is seen at once: the composer is gone, and the focus is in the list of rooms', async (t) => {
    await isLive(bob.page)
    await bob.page.getByLabel('Message', { exact: true }).focus()
    await choose(ada.page, 'About Bob', 'Remove from the room…', 'Remove from the room')
    await bob.page.getByText('Ada removed you from this room.').last().waitFor()
    t.equal(await bob.page.getByLabel('Message', { exact: true }).isVisible(), false)
    t.match(await bob.page.evaluate('document.activeElement.closest("#rooms") !== null'), true)
    await write(ada.page, 'He is gone')
    await reads(ada.page, 'He is gone')
    t.equal(await saidAs(bob.page, 'He is gone').count(), 0)
  })

  await t.test('a ban keeps out until it is lifted', async () => {
    await makeRoom(ada.page, 'Garden')
    await joinRoom(bob.page, 'Garden')
    await choose(ada.page, 'About Bob', 'Ban…', 'Ban')
    await bob.page.getByText('Ada banned you from this room.').last().waitFor()
    await press(bob.page, 'Browse')
    await press(bob.page.getByRole('dialog'), 'Join Garden')
    await bob.page.getByText('You are banned from this room.').last().waitFor()
    await bob.page.keyboard.press('Escape')
    await choose(ada.page, 'Ada banned Bob', 'Lift the ban')
    await ada.page.getByText('Ada lifted a ban').waitFor()
    await joinRoom(bob.page, 'Garden')
    await write(bob.page, 'Thank you')
    await reads(ada.page, 'Thank you')
  })

  await t.test('a closed room can be read, nothing more', async (t) => {
    await choose(ada.page, 'About this room', 'Close the room…', 'Close the room')
    await bob.page.getByText('This room is closed.').last().waitFor()
    t.equal(await bob.page.getByLabel('Message', { exact: true }).isVisible(), false)
    await reads(bob.page, 'Thank you')
    await load(ada.page, ada.page.url())
    await reads(ada.page, 'Thank you')
  })

  await t.test('who is in too many windows is told so, in the last one', async (t) => {
    const context = ada.page.context()
    const [second, third] = [await context.newPage(), await context.newPage()]
    await load(second, chat.url)
    await isLive(second)
    await load(third, chat.url)
    await third.getByText('The chat is open in too many windows.').waitFor()
    t.equal(await third.getByRole('button', { name: 'Try now' }).isVisible(), false)
    await second.close()
    await third.close()
  })

  await t.test('whose sessions are ended everywhere signs in again, and is where they were', async (t) => {
    const room = bob.page.url()
    const { access_token } = (await (
      await fetch(`${auth.url}/login`, {
        method: 'POST',
        headers: { 'Content-Type': 'application/json' },
        body: JSON.stringify({ email: 'bob@example.com', password: PASSWORD })
      })
    ).json()) as { access_token: string }
    const headers = { Authorization: `Bearer ${access_token}` }
    t.equal((await fetch(`${auth.url}/logout-everywhere`, { method: 'POST', headers })).status, 204)
    await bob.page.getByText('Your session has ended. Sign in again.').waitFor()
    await bob.page.getByLabel('Email address').fill('bob@example.com')
    await bob.page.getByLabel('Password').fill(PASSWORD)
    await press(bob.page, 'Sign in')
    await isLive(bob.page)
    t.equal(bob.page.url(), room)
    await reads(bob.page, 'Thank you')
  })

  await t.test('the form tells faults beside their fields', async (t) => {
    const { page } = await openChat(browser, chat.url)
    await page.getByLabel('Email address').fill('ada@example.com')
    await page.getByLabel('Password').fill('wrong password')
    await press(page, 'Sign in')
    await page.getByText('The email address or the password is wrong.').waitFor()
    await press(page, 'Make an account')
    await page.getByLabel('Your name').fill('Ada')
    await page.getByLabel('Password').fill('short')
    await press(page, 'Sign up')
    await page.locator('#password-error').waitFor()
    t.match(await page.locator('#password-error').innerText(), /^This must /)
    t.equal(await page.evaluate('document.activeElement.id'), 'password')
    await page.getByLabel('Password').fill(PASSWORD)
    await press(page, 'Sign up')
    await page.locator('#email-error').getByText('An account with this email address exists').waitFor()
    await page.context().close()
  })

  await t.test('under the other name of this machine the page moves to the one of the auth service', async (t) => {
    const { page } = await openChat(browser, chat.url.replace('127.0.0.1', 'localhost'))
    await page.waitForURL(`${chat.url}/`)
    t.ok(await page.getByRole('heading', { name: 'Sign in' }).isVisible())
    await page.context().close()
  })

  t.strictSame([...ada.complaints, ...bob.complaints], [], 'the browsers have nothing to complain of')
})
