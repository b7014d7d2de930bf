import type { Purpose } from './purposes.ts'

// All texts of the mails of this service. The first line is the subject, an empty line ends a paragraph. A paragraph
// with {{link}} is left out if there is no PUBLIC_URL. {{service}} is the host of PUBLIC_URL or ISSUER, {{within}} a
// span such as "24 hours". No text that a user chose goes in: a stranger could send a message in our name.

const CONFIRM = `Enter this code {{within}}:

{{code}}

Or open this page and confirm there:
{{link}}`

const RESET = `Set a new password {{within}}, with this code:

{{code}}

Or open this page:
{{link}}`

/** The text of each mail; the HTML is made from the same sentences. */
export const TEXTS: Readonly<Record<Purpose, string>> = {
  verify_email: `Confirm your address for {{service}}

Somebody signed up at {{service}} with this address. If it was you, confirm that the address is yours.

${CONFIRM}

If it was not you, ignore this mail: without the code nobody can confirm this address.`,

  sign_up: `Confirm your address for {{service}}

Somebody wants to sign up at {{service}} with this address. If it was you, confirm that the address is yours. There is no account before.

${CONFIRM}

If it was not you, ignore this mail: without the code there will be no account.`,

  address_taken: `You have an account at {{service}} already

Somebody wanted to use this address for an account at {{service}}. You have an account with it, and nothing was changed.

If it was you: log in as usual. If you have forgotten the password, ask for a new one there.

If it was not you, you need not do anything.`,

  reset_password: `Set a new password for {{service}}

Somebody asked for a new password for your account at {{service}}.

${RESET}

Afterwards you have to log in again on every device.

If it was not you, ignore this mail: your password stays as it is. Tell nobody the code.`,

  invitation: `You are invited to {{service}}

An administrator has made an account for you at {{service}}. Choose a password, and you can log in with this address.

${RESET}

If you do not know what this is about, ignore this mail: nobody can log in to the account without the code.`,

  password_changed: `Your password for {{service}} was changed

The password of your account at {{service}} was changed, and every other device was logged out.

If it was you, you need not do anything.

If it was not you, somebody else has had your account: ask for a new password at {{service}} now, with this address.`,

  email_change_asked: `Your address at {{service}} is to be changed

Somebody who knows your password wants another address for your account at {{service}}. The change happens when they enter a code that was mailed to the new address.

If it was you, you need not do anything.

If it was not you, change your password now: that stops it.`,

  change_email: `Confirm your new address for {{service}}

This is to become the address of an account at {{service}}. If you asked for that, confirm that the address is yours.

${CONFIRM}

If it was not you, ignore this mail: without the code nothing is changed. Tell nobody the code.`,

  email_changed: `Your address at {{service}} was changed

Your account at {{service}} has another address now. Mails do not come to this one any more.

If it was you, you need not do anything.

If it was not you, tell those who run {{service}}: they can end all sessions and help you to get the account back.`
}
