import { distinctItems } from '../../common/config/validators.ts'

/** A list that may be empty, without empty or duplicate items. */
export const distinctNames = distinctItems({ allowEmpty: true })
