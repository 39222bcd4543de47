import { describe, expect, test } from 'vitest'
import { ApiKey, apis } from './api-keys.ts'
import { isFlexible } from './flexible-versions.ts'
import { decodeRequestHeader, decodeResponseHeader, encodeRequestFrame, encodeResponseFrame } from './headers.ts'
import { ProduceRequest } from './messages/00-produce.ts'
import { FetchResponse } from './messages/01-fetch.ts'
import { MetadataRequest } from './messages/03-metadata.ts'
import { ApiVersionsRequest, ApiVersionsResponse } from './messages/18-api-versions.ts'
import { decode } from './schema/codec.ts'
import { inVersions } from './schema/versions.ts'
import { versionsOf } from './test-support/declarations.ts'

describe('a request frame', () => {
  test('consists of the size of the following bytes, header 1 and the body', () => {
    const header = { apiKey: ApiKey.Metadata, apiVersion: 4, correlationId: 7, clientId: 'me' }
    const frame = Buffer.concat(encodeRequestFrame(header, MetadataRequest, { topics: [{ name: 'a' }] }))
    const body = '00000001' + '000161' + '01'
    expect(frame.toString('hex')).toBe('00000014' + '0003' + '0004' + '00000007' + '00026d65' + body)
    expect(decodeRequestHeader(frame, 4)).toEqual({ ...header, end: 16 })
  })

  test('has header 2 in flexible versions, with tagged fields and an int16 length of the client id', () => {
    const header = { apiKey: ApiKey.Metadata, apiVersion: 9, correlationId: -1, clientId: null }
    const frame = Buffer.concat(encodeRequestFrame(header, MetadataRequest, { topics: null }))
    expect(frame.toString('hex')).toBe(
      '00000010' + '0003' + '0009' + 'ffffffff' + 'ffff' + '00' + '00' + '01' + '0000' + '00',
    )
    expect(decodeRequestHeader(frame.subarray(4)).end).toBe(11)
    // The decoder skips tagged fields in the header.
    const tagged = Buffer.from('0003' + '0009' + 'ffffffff' + 'ffff' + '01' + '05' + '02' + 'aabb', 'hex')
    expect(decodeRequestHeader(tagged).end).toBe(tagged.length)
  })

  test('counts the referenced chunks in its size', () => {
    const records = Buffer.alloc(5000)
    const chunks = encodeRequestFrame({ apiKey: 0, apiVersion: 9, correlationId: 1, clientId: 'c' }, ProduceRequest, {
      topicData: [{ name: 't', partitionData: [{ index: 0, records }] }],
    })
    expect(chunks).toContain(records)
    expect(chunks[0]!.readInt32BE(0)).toBe(Buffer.concat(chunks).length - 4)
  })

  test('with an unknown version of ApiVersions has a readable header', () => {
    const newer = Buffer.from('0012' + '0063' + '00000005' + '0001' + '63' + '00' + 'ffff', 'hex')
    expect(decodeRequestHeader(newer)).toMatchObject({ apiVersion: 99, correlationId: 5, clientId: 'c' })
  })

  test('with an unknown API key has a readable header', () => {
    const unknown = Buffer.from('7fff' + '0000' + '00000005' + '0001' + '63', 'hex')
    expect(decodeRequestHeader(unknown)).toEqual({
      apiKey: 32767,
      apiVersion: 0,
      correlationId: 5,
      clientId: 'c',
      end: 11,
    })
  })

  test.each([
    '',
    '0003',
    '00030009ffffffff',
    '00030009ffffffff7fff',
    '00030009ffffffffffff',
    '00030009ffffffffffff0105ff',
  ])('that is truncated (%s) is malformed', hex => {
    expect(() => decodeRequestHeader(Buffer.from(hex, 'hex'))).toThrow(/MR_PROTOCOL_MALFORMED/)
  })
})

describe('a response frame', () => {
  test('has header 1 in flexible versions, and header 0 in earlier versions', () => {
    const flexible = Buffer.concat(encodeResponseFrame(ApiKey.Fetch, 12, 9, FetchResponse, {}))
    expect(flexible.subarray(4, 9).toString('hex')).toBe('00000009' + '00')
    expect(decodeResponseHeader(ApiKey.Fetch, 12, flexible, 4)).toEqual({ correlationId: 9, end: 9 })
    const old = Buffer.concat(encodeResponseFrame(ApiKey.Fetch, 11, 9, FetchResponse, { errorCode: 3 }))
    const { end } = decodeResponseHeader(ApiKey.Fetch, 11, old, 4)
    expect(end).toBe(8)
    expect(decode(FetchResponse, 11, old, end).errorCode).toBe(3)
  })

  test('of ApiVersions always has header 0', () => {
    const frame = Buffer.concat(encodeResponseFrame(ApiKey.ApiVersions, 3, 9, ApiVersionsResponse, { errorCode: 35 }))
    const { end } = decodeResponseHeader(ApiKey.ApiVersions, 3, frame, 4)
    expect(end).toBe(8)
    expect(decode(ApiVersionsResponse, 3, frame, end).errorCode).toBe(35)
    const request = encodeRequestFrame(
      { apiKey: 18, apiVersion: 3, correlationId: 1, clientId: null },
      ApiVersionsRequest,
      {},
    )
    expect(decodeRequestHeader(Buffer.concat(request), 4).end).toBe(15)
  })
})

test('every declared API has a request and a response with the same key and versions', () => {
  for (const { key, name, request, response, minVersion, maxVersion, latestVersionUnstable } of apis.values()) {
    expect([request.apiKey, response.apiKey, request.name, response.name]).toEqual([
      key,
      key,
      `${name}Request`,
      `${name}Response`,
    ])
    expect(request.versions).toBe(response.versions)
    expect(request.versions).toBe(
      minVersion === maxVersion ? `${minVersion}` : `${minVersion}-${maxVersion + (latestVersionUnstable ? 1 : 0)}`,
    )
    expect(ApiKey[name as keyof typeof ApiKey]).toBe(key)
  }
})

test('an unstable latest version is declared, but is not the maximum version of the API', () => {
  expect(apis.get(ApiKey.InitProducerId)).toMatchObject({ maxVersion: 5, latestVersionUnstable: true })
})

test('isFlexible agrees with the declarations', () => {
  for (const { key, name, request } of apis.values())
    for (const version of versionsOf(request))
      expect(isFlexible(key, version), `${name} v${version}`).toBe(inVersions(request.flexible, version))
})
