/** A configuration as text, by key. */
export type Props = Readonly<Record<string, string>>
