import SerializerSelector from '@fastify/fast-json-stringify-compiler'

/**
 * Makes the serializer of an answer when it is first sent. Making those of all answers would take a sixth of the auth
 * service's start, and most are for refusals that are seldom sent.
 */
export const lateSerializers: SerializerSelector.SerializerFactory = (schemas, options) => {
  const compile = SerializerSelector()(schemas, options)
  return (route) => {
    let serialize: SerializerSelector.Serializer | undefined
    return (answer) => {
      serialize ??= compile(route)
      return serialize(answer)
    }
  }
}
