import SerializerSelector from '@fastify/fast-json-stringify-compiler'
import type { App } from '@latchkey/frame/app-type'
import { fieldValidator } from '@latchkey/frame/validation'
import type { Test } from 'tap'
import { resolved } from './document.ts'
import { answersOf } from './operations.ts'

/**
 * Asserts that the schemas of all routes can be used. The service compiles each when it first needs it, so a wrong one
 * would be found late. The app must not be ready yet.
 */
export async function everySchemaCompiles(t: Test, app: App): Promise<void> {
  const compiled: string[] = []
  const serializer = SerializerSelector()()
  app.setSerializerCompiler((route) => {
    compiled.push(`${route.method} ${route.url} ${route.httpStatus}`)
    return serializer(route as Parameters<typeof serializer>[0])
  })
  const validator = fieldValidator()
  app.setValidatorCompiler<{ properties: Record<string, object> }>((route) => {
    compiled.push(`${route.method} ${route.url} ${route.httpPart}`)
    const judge = validator(route)
    // With all its fields, whatever they are.
    judge(Object.fromEntries(Object.keys(route.schema.properties).map((name) => [name, ''])))
    return judge
  })
  await t.resolves(async () => void (await app.ready()))
  const answers = answersOf(resolved((await app.inject('/openapi.json')).json()))
  const documented = answers.flatMap(({ path, method, status, content }) => {
    const line = `${method.toUpperCase()} ${path.replaceAll(/\{(\w+)\}/g, ':$1')}`
    // The frame gives a query to every route.
    return [`${line} querystring`, ...(content ? [`${line} ${status}`] : [])]
  })
  t.strictSame(
    documented.filter((part) => !compiled.includes(part)),
    []
  )
}
