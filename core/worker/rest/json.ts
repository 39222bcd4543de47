import type { Request, Response } from 'express'
import { jsonError } from '../../common/errors/json-error.ts'
import { badRequest, RestError } from '../herder/rest-error.ts'
import { asObject, type Json, parseJson, parseJsonText, renderJson } from '../storage/connect-json.ts'
import { decodeJson, EncodingError } from './body.ts'

/** Answers with JSON. As in Connect, the content type has no charset. */
export function sendJson(res: Response, status: number, body: unknown): void {
  sendText(res, status, 'application/json', renderJson(body))
}

export function sendText(res: Response, status: number, type: string, text: string): void {
  const bytes = Buffer.from(text)
  res.statusCode = status
  res.setHeader('Content-Type', type)
  res.setHeader('Content-Length', bytes.length)
  res.end(bytes)
}

/** Answers without a body. */
export function sendEmpty(res: Response, status: number): void {
  res.statusCode = status
  res.end()
}

export function sendError(res: Response, status: number, message: string): void {
  sendJson(res, status, { error_code: status, message })
}

/**
 * Reads and parses a JSON body. Returns undefined for an empty body. Throws a 415 for another
 * content type, a 413 for a body that is too long, and a 400 for a body that is not JSON or not
 * valid Unicode.
 */
async function readJson(req: Request, maxBytes: number, parse: (text: string) => Json): Promise<Json | undefined> {
  const chunks: Buffer[] = []
  let length = 0
  // If the body is rejected, the request must not be destroyed, because the answer uses the same
  // socket.
  for await (const chunk of req.iterator({ destroyOnReturn: false })) {
    length += (chunk as Buffer).length
    if (length > maxBytes)
      throw new RestError(413, `The request is longer than ${maxBytes} bytes; see rest.request.max.bytes`)
    chunks.push(chunk as Buffer)
  }
  if (length === 0) return undefined
  const type = req.headers['content-type']?.split(';')[0]?.trim().toLowerCase()
  if (type !== 'application/json') throw new RestError(415, 'HTTP 415 Unsupported Media Type')
  try {
    return parse(decodeJson(Buffer.concat(chunks)))
  } catch (error) {
    if (error instanceof EncodingError)
      throw badRequest(`The request is not valid UTF-8: ${error.message}. Send JSON in UTF-8`)
    throw badRequest(`The request is not valid JSON: ${jsonError(error)}`)
  }
}

/**
 * Reads a configuration, which must be a JSON object. Numbers are returned as their source text.
 */
export function readConfig(req: Request, maxBytes: number): Promise<{ [key: string]: Json }> {
  return readObject(req, maxBytes, parseJsonText)
}

/** Reads a body that must be a JSON object. */
export async function readObject(
  req: Request,
  maxBytes: number,
  parse: (text: string) => Json = parseJson,
): Promise<{ [key: string]: Json }> {
  const json = await readJson(req, maxBytes, parse)
  if (json === undefined) throw badRequest('The request has no body; it must be a JSON object')
  const object = asObject(json)
  if (!object) throw badRequest('The request must be a JSON object')
  return object
}

/**
 * Returns a configuration in which numbers and booleans are strings, as Connect stores them. Null
 * values stay null.
 */
export function configOf(json: Json | undefined, what: string): Record<string, string | null> {
  const object = asObject(json)
  if (!object) throw badRequest(`${what} must be an object of configuration keys and values`)
  const config: Record<string, string | null> = {}
  for (const [key, value] of Object.entries(object)) {
    if (key === '__proto__') throw badRequest(`${what} must not have the key "__proto__"`)
    if (value !== null && typeof value === 'object')
      throw badRequest(`The value of "${key}" must be a string, a number or a boolean`)
    config[key] = value === null ? null : String(value)
  }
  return config
}
