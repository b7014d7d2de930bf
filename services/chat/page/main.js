import { Connection } from './net/connection.js'
import { Renewal } from './net/renewal.js'
import { Session } from './net/session.js'
import { placeBeside } from './place.js'
import { Chat } from './rooms/chat.js'
import { actsOf } from './views/acts.js'
import { composer } from './views/composer.js'
import { element } from './views/dom.js'
import { membersPanel } from './views/members.js'
import { messageList } from './views/message-list.js'
import { roomView } from './views/room.js'
import { askForRoom, browse } from './views/room-dialogs.js'
import { roomList } from './views/room-list.js'
import { routes } from './views/routes.js'
import { signInView } from './views/sign-in.js'
import { say, statusBar } from './views/status.js'

const authUrl = document.querySelector('meta[name=latchkey-auth-url]')?.getAttribute('content') ?? location.origin
const place = placeBeside(location.href, authUrl)
if (place) location.replace(place)
else start()

function start() {
  const session = new Session(authUrl)
  const connection = new Connection(session)
  const renewal = new Renewal(connection)
  const chat = new Chat(connection)
  const acts = actsOf(chat)

  const signIn = signInView(session, () => connection.tryNow())
  const rooms = roomList(chat)
  const messages = messageList(chat, acts.ofEntry)
  composer(chat, messages.toEnd)
  roomView(chat, acts, rooms.focus)
  membersPanel(chat, acts)
  statusBar({ connection, renewal, chat, signOut })
  routes(chat)

  async function signOut() {
    const { code, text } = await session.signOut()
    if (code !== undefined) return say(text)
    connection.stop()
    chat.clear()
    signIn.show('You are signed out.')
  }

  connection.changed.on((state) => {
    const isOut = state.name === 'off' || state.name === 'signed out'
    element('sign-in').hidden = !isOut
    element('app').hidden = isOut
    if (state.name === 'signed out') signIn.show(state.text)
  })
  element('new-room').addEventListener('click', () => askForRoom(chat))
  element('browse').addEventListener('click', () => browse(chat).catch(({ message }) => say(message)))
  connection.tryNow()
}
