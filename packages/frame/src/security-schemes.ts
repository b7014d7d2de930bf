/** A credential that a document describes; endpoints name it in `security`. */
export type SecurityScheme =
  | { readonly type: 'http'; readonly scheme: 'bearer'; readonly bearerFormat?: string; readonly description: string }
  | { readonly type: 'apiKey'; readonly in: 'cookie'; readonly name: string; readonly description: string }

/** A token in the header `Authorization: Bearer <token>` (RFC 6750 §2.1); `format` is what is known of its form. */
export function bearerScheme(description: string, format?: string): SecurityScheme {
  return { type: 'http', scheme: 'bearer', ...(format !== undefined && { bearerFormat: format }), description }
}

/** A cookie of this name. No page can send one that its browser does not have. */
function cookieScheme(name: string, description: string): SecurityScheme {
  return { type: 'apiKey', in: 'cookie', name, description: `${description} Browsers send it themselves.` }
}

/** The scheme `accessToken`. */
export const ACCESS_TOKEN_SCHEME = bearerScheme('The `access_token` that /login and /refresh-token answer.', 'JWT')

/** The scheme `accessCookie`; `name` is the name of the cookie. */
export function accessCookieScheme(name: string): SecurityScheme {
  return cookieScheme(name, 'The access token as a cookie, which /signin sets.')
}

/** The scheme `refreshToken`. */
export const REFRESH_TOKEN_SCHEME = bearerScheme('The `refresh_token` that /login and /refresh-token answer.', 'JWT')

/** The scheme `refreshCookie`; `name` is the name of the cookie. */
export function refreshCookieScheme(name: string): SecurityScheme {
  return cookieScheme(name, 'The refresh token as a cookie, which /signin sets.')
}
