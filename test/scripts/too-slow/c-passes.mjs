import t from 'tap'

t.test('nothing wrong', async (t) => t.pass())
