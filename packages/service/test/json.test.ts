import t from 'tap'
import { hasDoubledMember } from '../src/json.ts'

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
