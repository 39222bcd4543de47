import type { Validator } from 'millrace/connect'

export const urls: Validator = {
  describe: 'list of http(s) URLs',
  check(value) {
    for (const text of (value as string[] | null) ?? []) {
      const url = URL.parse(text)
      if (!url || !/^https?:$/.test(url.protocol))
        return `'${text.replace(/\/\/.*@/, '//')}' is not an http:// or https:// URL`
    }
    return null
  },
}

/** A cloud id: `name:base64`, where the base64 part contains `domain$deployment`. */
export const cloudId: Validator = {
  describe: 'id of a deployment, or empty',
  check(value) {
    const text = String(value ?? '')
    const [domain, deployment] = Buffer.from(text.split(':')[1] ?? '', 'base64')
      .toString()
      .split('$')
    return text === '' || (domain && deployment && URL.canParse(`https://${deployment}.${domain}`))
      ? null
      : 'Must be a cloud id as Elastic Cloud shows it, such as name:ZXhhbXBsZS5vcmckYWJj'
  },
}

export const fingerprint: Validator = {
  describe: 'SHA-256 fingerprint in hex, or empty',
  check: value =>
    /^((?:[0-9a-f]{2}:?){32})?$/i.test(String(value ?? ''))
      ? null
      : 'Must be a SHA-256 fingerprint: 64 hexadecimal digits, with or without colons',
}

/**
 * Characters that the name of an index cannot contain. A name with * or a comma would match several
 * indices.
 */
const NO_NAME = /[\\/*?"<>| ,#:]/

export const namePart: Validator = {
  describe: 'none of / \\ * ? " < > | , # : or spaces',
  check: value =>
    NO_NAME.test(String(value ?? '').replace('${topic}', ''))
      ? 'Must not contain any of / \\ * ? " < > | , # : or spaces'
      : null,
}

export const dataset: Validator = {
  describe: 'at most 100 characters, no / or spaces',
  check: v =>
    /^[^\\/*?"<>| ,#:-]{0,100}$/.test(String(v ?? ''))
      ? null
      : 'Must be at most 100 characters without / \\ * ? " < > | , # : - or spaces',
}

/** A list of `topic:resource` pairs. */
export const pairs: Validator = {
  describe: 'list of topic:resource',
  check(value) {
    for (const item of (value as string[] | null) ?? []) {
      if (!/^[^:]+:[^:]+$/.test(item)) return `'${item}' is not topic:resource`
      const resource = item.split(':')[1]!
      if (NO_NAME.test(resource)) return `'${resource}' cannot be the name of an index, alias or data stream`
    }
    return null
  },
}

export const NO_KERBEROS = 'Kerberos is not supported.'

export const noKerberos: Validator = {
  describe: 'empty',
  check: value =>
    value === null || value === ''
      ? null
      : `${NO_KERBEROS} Use connection.username and connection.password, or connection.api.key`,
}
