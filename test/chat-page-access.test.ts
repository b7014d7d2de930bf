// The page of the chat for everybody: by keyboard alone, with a screen reader, on a small screen, in light and dark.
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import type { BrowserContextOptions, Page } from 'playwright-core'
import t, { type Test } from 'tap'
import { startAuthAndChat } from './chat-pair.ts'
import {
  choose,
  isLive,
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

const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')
const SIZES = { phone: { width: 320, height: 568 }, desktop: { width: 1280, height: 800 } }

t.test('for everybody', { skip: SKIPS_BROWSER }, async (t) => {
  const { chat } = await startAuthAndChat(t)
  const browser = await startBrowser(t)

  await t.test('everything is done with the keyboard alone', async (t) => {
    const { page } = await openChat(browser, chat.url)
    const { keyboard } = page
    /** Presses Tab until this has the focus. */
    const tabTo = async (name: string) => {
      for (let steps = 0; steps < 40; steps += 1) {
        await keyboard.press('Tab')
        if ((await page.evaluate(FOCUSED)) === name) return
      }
      throw new Error(`Tab does not lead to ${name}`)
    }
    await page.getByRole('heading', { name: 'Sign in' }).waitFor()
    t.equal(await page.evaluate(FOCUSED), 'Email address', 'the first field has the focus')
    await tabTo('Make an account')
    await keyboard.press('Enter')
    await keyboard.type('eve@example.com')
    await keyboard.press('Tab')
    await keyboard.type('Eve')
    await keyboard.press('Tab')
    await keyboard.type(PASSWORD)
    await keyboard.press('Enter')
    await isLive(page)

    await tabTo('New')
    await keyboard.press('Enter')
    await keyboard.type('Tea')
    await keyboard.press('Enter')
    await page.getByRole('heading', { name: 'Tea' }).waitFor()
    await isLive(page)
    t.equal(await page.evaluate(FOCUSED), 'Message', 'to write at once')
    await keyboard.type('one')
    await keyboard.press('Shift+Enter')
    await keyboard.type('two')
    await keyboard.press('Enter')
    await page.locator('#live .text').getByText('one\ntwo').waitFor()
    await keyboard.type('three')
    await keyboard.press('Enter')
    await page.locator('#live .text').getByText('three').waitFor()

    await keyboard.press('Shift+Tab')
    t.equal(await page.evaluate(FOCUSED), 'Message of Eve', 'the messages are one stop')
    await keyboard.press('ArrowUp')
    await keyboard.press('Enter')
    await keyboard.press('End')
    t.equal(await page.evaluate(FOCUSED), 'Delete the message…')
    await keyboard.press('Enter')
    await keyboard.press('Escape')
    t.equal(await page.getByRole('dialog').count(), 0, 'Esc closes the dialog')
    t.equal(await page.evaluate(FOCUSED), 'Message of Eve', 'and the focus is where it was')
    await keyboard.press('Enter')
    await keyboard.press('End')
    await keyboard.press('Enter')
    await page.getByRole('dialog').waitFor()
    await tabTo('Delete the message')
    await keyboard.press('Enter')
    await page.getByText('This message was deleted.').waitFor()
    t.equal(await page.locator('#live .text').first().innerText(), 'This message was deleted.', 'the one above')

    await tabTo('Eve')
    t.match(await page.evaluate('document.activeElement.className'), 'opener')
    await page.context().close()
  })

  await t.test(
    'what is live is read aloud, and nothing else; the line of the state is the only other one',
    async (t) => {
      const { page } = await signUp(browser, chat.url, 'Ida')
      await makeRoom(page, 'Coffee')
      await write(page, 'live')
      await page.locator('[role=log] .text').getByText('live').waitFor()
      await load(page, page.url())
      await reads(page, 'live')
      t.equal(await page.locator('[role=log] .text').count(), 0, 'what is read from the history is silent')
      t.equal(await page.locator('[role=status], [aria-live=polite]').count(), 1)
      t.equal(await page.locator('#life').getAttribute('role'), 'timer', 'nobody hears each second')
      await page.context().close()
    }
  )

  const looks = Object.entries(SIZES).flatMap(([size, viewport]) =>
    (['light', 'dark'] as const).map((colorScheme) => ({
      name: `${size} ${colorScheme}`,
      user: `Zoe-${size}-${colorScheme}`,
      options: { viewport, colorScheme }
    }))
  )

  await t.test('axe finds nothing and nothing is too wide, in any state, on any screen, light and dark', async (t) => {
    for (const { name, user, options } of looks) await everyState(t, name, user, options)
  })

  await t.test('nor while the service is away', async (t) => {
    const open: { name: string; page: Page }[] = []
    for (const { name, user, options } of looks) {
      const { page } = await signUp(browser, chat.url, `${user}-2`, options)
      await makeRoom(page, name)
      open.push({ name, page })
    }
    await chat.kill()
    for (const { name, page } of open) {
      await page.getByText('There is no connection.').waitFor()
      await write(page, 'I wait')
      await page.getByText('Waiting to be sent').waitFor()
      await look(t, page, `${name}: offline`)
    }
  })

  /** Walks through the states of the page and looks at each. */
  async function everyState(t: Test, name: string, user: string, options: BrowserContextOptions): Promise<void> {
    const out = await openChat(browser, chat.url, options)
    await out.page.getByRole('heading', { name: 'Sign in' }).waitFor()
    await press(out.page, 'Make an account')
    await press(out.page, 'Sign up')
    await out.page.locator('#email-error').waitFor()
    await look(t, out.page, `${name}: faults of fields`)
    await out.page.context().close()

    const { page } = await signUp(browser, chat.url, user, options)
    await look(t, page, `${name}: no room`)
    await press(page, 'New')
    await look(t, page, `${name}: dialog`)
    await page.keyboard.press('Escape')
    await makeRoom(page, `The room of ${user} with a long name`)
    await look(t, page, `${name}: empty room`)
    await write(page, `https://example.com/${'a'.repeat(80)} and ${'words '.repeat(40)}`)
    await write(page, 'a second one')
    await reads(page, 'a second one')
    await page
      .getByRole('button', { name: `Message of ${user}` })
      .last()
      .click()
    await look(t, page, `${name}: messages, and a menu`)
    await page.keyboard.press('Escape')
    const members = page.getByRole('button', { name: 'Members', exact: true })
    if ((await members.getAttribute('aria-expanded')) === 'false') await members.click()
    await page.getByRole('heading', { name: 'Members (1)' }).waitFor()
    await look(t, page, `${name}: members`)
    await page.getByRole('heading', { name: 'Members (1)' }).press('Escape')
    await choose(page, 'About this room', 'Close the room…')
    await look(t, page, `${name}: a question`)
    await press(page.getByRole('dialog'), 'Close the room')
    await page.getByText('This room is closed.').last().waitFor()
    await look(t, page, `${name}: closed`)
    await page.context().close()
  }
})

/** The name of what has the focus, as assistive technology has it. */
const FOCUSED = `(() => {
  const { activeElement: focused } = document
  const label = focused.labels?.[0]?.textContent
  return (focused.getAttribute('aria-label') ?? label ?? focused.textContent).trim().replace(/^Account of /, '')
})()`

async function look(t: Test, page: Page, name: string): Promise<void> {
  await page.evaluate(AXE)
  const { violations } = (await page.evaluate('axe.run()')) as {
    violations: { id: string; nodes: { html: string; failureSummary: string }[] }[]
  }
  const found = violations.flatMap(({ id, nodes }) =>
    nodes.map(({ html, failureSummary }) => [id, html, failureSummary])
  )
  t.strictSame(found, [], name)
  t.ok(await page.evaluate('document.documentElement.scrollWidth <= innerWidth'), `${name} fits`)
}
