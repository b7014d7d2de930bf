import t from 'tap'

t.test('a real fault', async (t) => t.equal(1 + 1, 3))
