// The page of the chat with much in it: many rooms, bans, a restored database, a large type, an administrator.
import { createChatDatabase, createDatabase, runAsOwner, serviceUrl } from '@latchkey/testing/database'
import type { Page } from 'playwright-core'
import t, { type Test } from 'tap'
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
  signUp,
  startBrowser,
  write
} from './chat-people.ts'

/** Rooms that one socket listens to, and rooms of a page of the list of public ones. */
const MOST = 50

/** A page at 200 % zoom, in a window of 1280 pixels. */
const ZOOMED = { viewport: { width: 640, height: 400 }, deviceScaleFactor: 2 }

t.test('much', { skip: SKIPS_BROWSER }, async (t) => {
  const [ofAuth, ofChat] = [await serviceUrl(await createDatabase(t)), await serviceUrl(await createChatDatabase(t))]
  const { chat } = await startAuthAndChat(t, {
    auth: { DATABASE_URL: ofAuth },
    chat: { DATABASE_URL: ofChat, CATCH_UP_INTERVAL: '100ms' }
  })
  const browser = await startBrowser(t)
  const ada = await signUp(browser, chat.url, 'Ada')
  const bob = await signUp(browser, chat.url, 'Bob')
  await makeRoom(ada.page, 'Tea')
  await joinRoom(bob.page, 'Tea')

  await t.test('who may lift bans sees all of them, and lifts one by its button', async (t) => {
    await choose(ada.page, 'About this room', 'Banned people…')
    const dialog = ada.page.getByRole('dialog')
    await dialog.getByText('Nobody is banned from this room.').waitFor()
    await press(dialog, 'Close')
    await choose(ada.page, 'About Bob', 'Ban…', 'Ban')
    await bob.page.getByText('Ada banned you from this room.').last().waitFor()
    await load(ada.page, ada.page.url())
    await isLive(ada.page)
    await choose(ada.page, 'About this room', 'Banned people…')
    await fits(t, ada.page)
    await press(dialog, 'Lift the ban of Bob')
    await dialog.getByText('Nobody is banned from this room.').waitFor()
    t.equal(await ada.page.evaluate('document.activeElement.closest("dialog") !== null'), true, 'the focus stays')
    await press(dialog, 'Close')
    await joinRoom(bob.page, 'Tea')
    await choose(bob.page, 'About this room', 'Leave the room…')
    t.equal(await bob.page.getByText('Banned people…').count(), 0, 'a member is not offered it')
    await press(bob.page.getByRole('dialog'), 'Cancel')
  })

  await t.test('after a restore of the database a page shows what is there now, and goes on', async (t) => {
    await write(ada.page, 'kept')
    await write(ada.page, 'lost')
    await reads(bob.page, 'lost')
    await runAsOwner(
      ofChat,
      `UPDATE events SET text = 'from the backup' WHERE text = 'lost';
       UPDATE rooms SET name = 'Green tea' WHERE name = 'Tea';
       UPDATE stream SET id = gen_random_uuid()`
    )
    for (const { page } of [ada, bob]) {
      await reads(page, 'from the backup')
      await page.getByRole('heading', { name: 'Green tea' }).waitFor()
      t.strictSame(await page.locator('#past .text, #live .text').allInnerTexts(), ['kept', 'from the backup'])
    }
    await write(bob.page, 'and on')
    await reads(ada.page, 'and on')
  })

  await t.test('more rooms than a socket listens to are all listed, and the open one is live', async (t) => {
    await runAsOwner(
      ofChat,
      `WITH who AS (SELECT user_id, username FROM members WHERE username = 'Ada' LIMIT 1),
            r AS (INSERT INTO rooms (name, visibility, created_by)
                  SELECT 'Room ' || lpad(n::text, 2, '0'), 'public', user_id FROM who, generate_series(1, ${MOST + 10}) AS n
                  RETURNING id),
            h AS (INSERT INTO heads (room_id, last_seq) SELECT id, 1 FROM r),
            e AS (INSERT INTO events (room_id, seq, kind, actor_id, actor_name)
                  SELECT id, 1, 'created', user_id, username FROM r, who)
       INSERT INTO members (room_id, user_id, username, role, since_seq)
       SELECT id, user_id, username, 'owner', 1 FROM r, who`
    )
    await load(ada.page, chat.url)
    await isLive(ada.page)
    await ada.page.getByRole('link', { name: 'Room 60' }).waitFor()
    t.equal(await ada.page.getByRole('link', { name: /^Room \d\d/ }).count(), MOST + 10)
    await press(bob.page, 'Browse')
    const found = bob.page.getByRole('dialog').locator('.found li')
    await found.nth(MOST - 1).waitFor()
    t.equal(await found.count(), MOST)
    await press(bob.page.getByRole('dialog'), 'More rooms')
    await found.nth(MOST).waitFor()
    t.equal(await found.count(), MOST + 11)
    t.equal(await bob.page.evaluate('document.activeElement.closest("li") !== null'), true, 'the focus is in the list')
    await press(bob.page.getByRole('dialog'), 'Join Room 60')
    await bob.page.getByRole('heading', { name: 'Room 60' }).waitFor()
    await ada.page.getByRole('link', { name: 'Room 60' }).click()
    await ada.page.getByRole('heading', { name: 'Room 60' }).waitFor()
    await write(bob.page, 'the sixtieth')
    await reads(ada.page, 'the sixtieth')
    await write(ada.page, 'I hear you')
    await reads(bob.page, 'I hear you')
  })

  await t.test('at 200 % zoom nothing is too wide, and all can be reached', async (t) => {
    const { page } = await openChat(browser, chat.url, ZOOMED)
    await signIn(page, 'bob')
    await fits(t, page)
    await page.getByRole('link', { name: 'Green tea' }).click()
    await reads(page, 'and on')
    await fits(t, page)
    await write(page, `large ${'letters '.repeat(30)}`)
    await page.locator('#live .text').waitFor()
    t.ok(await page.getByLabel('Message', { exact: true }).isVisible())
    await press(page, 'Members')
    await page.getByRole('heading', { name: 'Members (2)' }).waitFor()
    await fits(t, page)
    await page.context().close()
  })

  await t.test('an administrator reads a room without joining it, and keeps order there', async (t) => {
    await makeRoom(ada.page, 'Secret', 'Private')
    await write(ada.page, 'among us')
    await reads(ada.page, 'among us')
    const { page } = await signUp(browser, chat.url, 'Root')
    await runAsOwner(ofAuth, `UPDATE users SET roles = '{user,admin}' WHERE email = 'root@example.com'`)
    await choose(page, 'Account of Root', 'Sign out')
    await signIn(page, 'root')
    await load(page, ada.page.url())
    await reads(page, 'among us')
    await page.getByText('You read here as an administrator, without being a member.').last().waitFor()
    t.equal(await page.getByLabel('Message', { exact: true }).isVisible(), false)
    await write(ada.page, 'still live')
    await reads(page, 'still live')
    await fits(t, page)
    await choose(page, 'Message of Ada', 'Delete the message…', 'Delete the message')
    await ada.page.getByText('This message was deleted.').waitFor()
    t.equal(await ada.page.getByText('Root joined').count(), 0, 'nobody joined')
    await page.context().close()
  })

  t.strictSame([...ada.complaints, ...bob.complaints], [], 'the browsers have nothing to complain of')
})

async function signIn(page: Page, name: string): Promise<void> {
  await page.getByLabel('Email address').fill(`${name}@example.com`)
  await page.getByLabel('Password').fill(PASSWORD)
  await press(page, 'Sign in')
  await isLive(page)
}

let pictures = 0

/** Nothing of the page is too wide for its window. With SCREENSHOTS, a folder, a picture is kept for people. */
async function fits(t: Test, page: Page): Promise<void> {
  t.ok(await page.evaluate('document.documentElement.scrollWidth <= innerWidth'), 'nothing is too wide')
  const folder = process.env['SCREENSHOTS']
  pictures += 1
  if (folder) await page.screenshot({ path: `${folder}/large-${pictures}.png` })
}
