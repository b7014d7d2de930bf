import t from 'tap'

t.test('a part that ends', async (t) => t.pass())
t.test('a part that never ends', async (t) => {
  await t.test('inside', () => new Promise((resolve) => setTimeout(resolve, 600_000)))
})
