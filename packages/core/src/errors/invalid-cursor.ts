import { invalidRequest } from './common-errors';

/** A cursor that this list did not make, or made for other filters, another order or another user. */
export const invalidCursor = () =>
  invalidRequest({
    errors: [
      {
        in: 'query',
        path: 'cursor',
        code: 'invalid_value',
        message: 'must be the next_cursor of the same list, with the same filters and sort, sent by the same user',
      },
    ],
  });
