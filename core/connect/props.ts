/** A connector's or task's configuration as it stands in the config topic: text by key. */
export type Props = Readonly<Record<string, string>>
