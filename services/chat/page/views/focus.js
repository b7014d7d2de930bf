import { element } from './dom.js'

/**
 * Moves the focus into the open room: to where one writes, or to its title where a keyboard on the screen would cover the
 * room, or nothing can be written.
 */
export function focusRoom() {
  const isTyped = matchMedia('(pointer: fine)').matches && !element('composer').hidden
  element(isTyped ? 'text' : 'room-title').focus()
}
