/**
 * The maximum number of zeros to write. The text `1e300000000` is short, but all digits of the
 * number would not fit into memory.
 */
const MOST_ZEROS = 100_000

/**
 * An exact decimal number, like java.math.BigDecimal: `unscaled` times ten to the power of minus
 * `scale`. It is the value of Connect's logical type Decimal.
 */
export class Decimal {
  readonly unscaled: bigint
  readonly scale: number

  constructor(unscaled: bigint, scale: number) {
    this.unscaled = unscaled
    this.scale = scale
  }

  /**
   * Parses text such as `-12.340`, `5` or `1.2e-7`. The default scale is the number of digits after
   * the point. Throws a SyntaxError.
   */
  static parse(text: string, scale?: number): Decimal {
    const m = /^([+-]?)(\d*)(?:\.(\d*))?(?:[eE]([+-]?\d+))?$/.exec(text)
    if (!m || (!m[2] && !m[3])) throw new SyntaxError(`'${text.slice(0, 40)}' is not a decimal number`)
    const fraction = m[3] ?? ''
    const own = fraction.length - Number(m[4] ?? 0)
    const unscaled = BigInt((m[1] === '-' ? '-' : '') + ((m[2] ?? '') + fraction || '0'))
    const parsed = new Decimal(unscaled, own)
    return scale === undefined ? parsed : parsed.withScale(scale)
  }

  /** Returns the same number with another scale. Throws a RangeError if digits would be lost. */
  withScale(scale: number): Decimal {
    if (scale === this.scale) return this
    if (Math.abs(scale - this.scale) > MOST_ZEROS)
      throw new RangeError(`${this} has too many digits for the scale ${scale}`)
    if (scale > this.scale) return new Decimal(this.unscaled * 10n ** BigInt(scale - this.scale), scale)
    const divisor = 10n ** BigInt(this.scale - scale)
    if (this.unscaled % divisor !== 0n) throw new RangeError(`${this} cannot have scale ${scale} without rounding`)
    return new Decimal(this.unscaled / divisor, scale)
  }

  /**
   * Returns the unscaled value as the shortest two's complement, big endian, as Connect and
   * Debezium encode it.
   */
  toBuffer(): Buffer {
    let length = 1
    let v = this.unscaled
    while (v > 127n || v < -128n) {
      v >>= 8n
      length++
    }
    const out = Buffer.allocUnsafe(length)
    v = this.unscaled
    for (let i = length - 1; i >= 0; i--) {
      out[i] = Number(v & 0xffn)
      v >>= 8n
    }
    return out
  }

  static fromBuffer(bytes: Buffer, scale: number): Decimal {
    if (bytes.length === 0) return new Decimal(0n, scale)
    return new Decimal(BigInt.asIntN(bytes.length * 8, BigInt(`0x${bytes.toString('hex')}`)), scale)
  }

  /**
   * Returns the number without an exponent, as BigDecimal.toPlainString does. A number with more
   * than 100000 zeros has an exponent.
   */
  toString(): string {
    if (Math.abs(this.scale) > MOST_ZEROS) return `${this.unscaled}E${-this.scale}`
    if (this.scale <= 0) return (this.unscaled * 10n ** BigInt(-this.scale)).toString()
    const negative = this.unscaled < 0n
    const digits = (negative ? -this.unscaled : this.unscaled).toString().padStart(this.scale + 1, '0')
    return `${negative ? '-' : ''}${digits.slice(0, -this.scale)}.${digits.slice(-this.scale)}`
  }

  toNumber(): number {
    return Number(`${this.unscaled}e${-this.scale}`)
  }

  toJSON(): string {
    return this.toString()
  }
}
