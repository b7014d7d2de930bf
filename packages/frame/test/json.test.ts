import t from 'tap'
import { hasDoubledMember, isNestedDeeper } from '../src/json.ts'

t.test('two members of one name are found, in whatever object, and however they are written', async (t) => {
  const doubled = [
    '{"a":1,"a":2}',
    '{"a":1,"b":{},"a":2}',
    '{ "a" : 1 ,\n"a"\t: 1 }',
    '{"a":1,"\\u0061":2}',
    '{"\\"":1,"\\"":2}',
    '{"\\\\":1,"\\\\":2}',
    '{"":1,"":2}',
    '{"a":{"b":1,"b":2}}',
    '[{"a":1},{"b":1,"b":2}]',
    '{"a":[{"b":{"c":1}},{"b":{"c":1,"c":2}}]}',
    '{"a":{"b":1},"a":{"b":1}}',
    '{"__proto__":1,"__proto__":2}',
    '{"a":"}","a":2}',
    '{"a":"\\"","a":2}'
  ]
  for (const json of doubled) t.equal(hasDoubledMember(json), true, `${JSON.stringify(JSON.parse(json))} of ${json}`)
})

t.test('one name in several objects, and what only looks like a name, is not', async (t) => {
  const single = [
    '{}',
    '[]',
    'null',
    '"a"',
    '5',
    '{"a":1,"A":2,"\\u00e4":3,"a\\u0308":4}',
    '{"a":{"a":{"a":1}}}',
    '[{"a":1},{"a":2}]',
    '{"a":[{"b":1},{"b":2}],"b":3}',
    '{"a":{"b":1},"b":2}',
    '{"a":"\\"a\\":","b":"{\\"a\\":1,\\"a\\":2}"}',
    '["a","a",":","a"]',
    '{"a":"b","b":"a"}',
    '{"toString":1,"constructor":2,"hasOwnProperty":3}'
  ]
  for (const json of single) t.equal(hasDoubledMember(json), false, json)
})

t.test('depth is that of objects and lists, whatever stands in texts, and needs no valid JSON', async (t) => {
  const depths: [json: string, depth: number][] = [
    ['5', 0],
    ['"[[[{{{"', 0],
    ['"\\"[[["', 0],
    ['"\\\\"[[', 2],
    ['{"a":[{"b":"]}"}]}', 3],
    ['[[],[],[[]]]', 3],
    [']]][[[', 0],
    ['['.repeat(40), 40],
    ['{"a":'.repeat(40), 40]
  ]
  for (const [json, depth] of depths) {
    t.equal(isNestedDeeper(json, depth), false, `${json} is ${depth} deep`)
    if (depth > 0) t.equal(isNestedDeeper(json, depth - 1), true, `${json} is no less than ${depth} deep`)
  }
})
