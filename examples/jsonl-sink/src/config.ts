import { type ConfigValues, defineConfig, key, nonEmpty } from 'millrace/connect'

export const config = defineConfig({
  directory: key.string({
    validator: nonEmpty,
    importance: 'HIGH',
    documentation: 'The directory that the files are written to. It must exist. Each partition has one file.',
  }),
})

export type Settings = ConfigValues<typeof config>
