// SPDX-License-Identifier: Apache-2.0

/** Something an operator can mend. Its message says what and where; it is printed without a stack. */
export class Trouble extends Error {}
