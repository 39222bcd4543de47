import { distinctItems } from '../../common/config/validators.ts'

/** Validates a list that may be empty but contains no empty or duplicate items. */
export const distinctNames = distinctItems({ allowEmpty: true })
