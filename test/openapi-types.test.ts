import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { createClient } from '@hey-api/openapi-ts'
import { between } from '@latchkey/testing/between'
import { makeKey } from '@latchkey/testing/tokens'
import openapiTs, { astToString, type OpenAPI3 } from 'openapi-typescript'
import t from 'tap'
import ts from 'typescript'
import { startAuth } from '../services/auth/test/app.ts'
import { FEED_TOKEN } from '../services/auth/test/feed.ts'
import { startChat } from '../services/chat/test/app.ts'
import { startResource } from '../services/resource/test/app.ts'

/** Most bytes of the types that openapi-typescript makes; they were 290,728, 183,613 and 25,223 before schemas had names. */
const MOST = { auth: 110_000, chat: 70_000, resource: 17_000 }

type Name = keyof typeof MOST
const NAMES = Object.keys(MOST) as Name[]

/** What clients write with the types of each generator, and what does not compile. */
const SAME = 'type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false\n'
const USES = {
  'openapi-typescript': `${SAME}
    import type { components, operations, paths } from './auth.ts'
    import type { components as ofChat, operations as chat } from './chat.ts'
    import type { operations as resource } from './resource.ts'
    type Tokens = components['schemas']['Tokens']
    type User = components['schemas']['User']
    type Refusal = operations['logIn']['responses'][403]['content']['application/problem+json']
    export const checks: [
      Same<paths['/login']['post'], operations['logIn']>,
      Same<operations['logIn']['responses'][200]['content']['application/json'], Tokens>,
      Same<operations['refreshToken']['responses'][200]['content']['application/json'], Tokens>,
      Same<operations['getMe']['responses'][200]['content']['application/json'], User>,
      Same<Tokens['access_token'], string>,
      Same<Refusal['code'], 'email_unverified' | 'account_disabled'>,
      Same<Refusal['request_id'], string>,
      Same<ofChat['schemas']['Member']['role'], 'owner' | 'moderator' | 'member'>,
      Same<chat['getRoom']['responses'][200]['content']['application/json'], ofChat['schemas']['Room']>,
      Same<resource['greet']['responses'][200]['content']['application/json']['message'], string>
    ] = [true, true, true, true, true, true, true, true, true, true]
    export const login = { email: 'ada@example.com', password: 'x' } satisfies
      operations['logIn']['requestBody']['content']['application/json']`,
  '@hey-api/openapi-ts': `${SAME}
    import type { GetMeResponse, LogInData, LogInErrors, LogInResponse, RefreshTokenResponse, Tokens, User } from './auth/types.gen.ts'
    import type { GetRoomResponse, Member, Room } from './chat/types.gen.ts'
    import type { GreetResponse } from './resource/types.gen.ts'
    export const checks: [
      Same<LogInResponse, Tokens>,
      Same<RefreshTokenResponse, Tokens>,
      Same<GetMeResponse, User>,
      Same<Tokens['access_token'], string>,
      Same<LogInErrors[403]['code'], 'email_unverified' | 'account_disabled'>,
      Same<Member['role'], 'owner' | 'moderator' | 'member'>,
      Same<GetRoomResponse, Room>,
      Same<GreetResponse['message'], string>
    ] = [true, true, true, true, true, true, true, true]
    export const login: LogInData['body'] = { email: 'ada@example.com', password: 'x' }`
}

const documents = await readDocuments()

t.test('openapi-typescript makes small types of the documents, that say what each endpoint answers', async (t) => {
  const folder = t.testdir()
  for (const name of NAMES) {
    const text = astToString(await openapiTs(structuredClone(documents[name])))
    between(t, text.length, { least: 10_000, most: MOST[name] }, `${name}: bytes`)
    await writeFile(join(folder, `${name}.ts`), text)
  }
  await compiles(t, folder, USES['openapi-typescript'])
})

t.test('so does @hey-api/openapi-ts, with a type for each schema', async (t) => {
  const folder = t.testdir()
  for (const name of NAMES) {
    const input = structuredClone(documents[name]) as unknown as Record<string, unknown>
    const output = join(folder, name)
    await createClient({ input, output, plugins: ['@hey-api/typescript'], logs: { level: 'silent' } })
    const text = await readFile(join(output, 'types.gen.ts'), 'utf8')
    for (const schema of Object.keys(documents[name].components?.schemas ?? {})) {
      t.match(text, `export type ${schema} = `, `${name}: ${schema}`)
    }
  }
  await compiles(t, folder, USES['@hey-api/openapi-ts'])
})

/** Compiles what a client writes beside the types, as it is, and with one wrong answer. */
async function compiles(t: Tap, folder: string, text: string): Promise<void> {
  const [right, wrong] = [join(folder, 'right.ts'), join(folder, 'wrong.ts')]
  await writeFile(right, text)
  await writeFile(wrong, text.replace('[true, ', '[false, '))
  const program = ts.createProgram([right, wrong], {
    strict: true,
    noEmit: true,
    types: [],
    skipDefaultLibCheck: true,
    target: ts.ScriptTarget.ES2022,
    module: ts.ModuleKind.ESNext,
    moduleResolution: ts.ModuleResolutionKind.Bundler,
    allowImportingTsExtensions: true
  })
  const faults = ts
    .getPreEmitDiagnostics(program)
    .map(({ file, messageText }) => [file?.fileName, ts.flattenDiagnosticMessageText(messageText, '\n')])
  t.strictSame(faults, [[wrong, "Type 'false' is not assignable to type 'true'."]])
}

type Tap = Parameters<typeof startAuth>[0]

async function readDocuments(): Promise<Record<Name, OpenAPI3>> {
  const auth = await startAuth(t, { env: { REVOCATION_FEED: 'token', FEED_TOKEN } })
  const chat = await startChat(t)
  const { jwk } = await makeKey()
  const keys = t.testdir({ 'jwks.json': JSON.stringify({ keys: [jwk] }) })
  const resource = await startResource(t, { JWKS_FILE: join(keys, 'jwks.json') })
  return {
    auth: (await auth.send('GET /openapi.json')).body,
    chat: (await chat.send(undefined, 'GET /openapi.json')).body,
    resource: (await resource.send('GET /openapi.json')).body
  }
}
