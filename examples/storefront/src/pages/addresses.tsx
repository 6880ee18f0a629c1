import type { Address } from '@shop/client';
import { useEffect, useState } from 'preact/hooks';
import { shop } from '../api.ts';
import { submits, useAction, useLoad } from '../state.ts';
import { fieldErrors } from '../text.ts';
import { ActionButton, Field, fieldsOf, PageTitle, Problem, Skeleton } from '../ui.tsx';

/** The user's addresses. With `onChoose`, one of them is chosen, without it they can be deleted. */
export function Addresses({
  chosen,
  onChoose,
}: {
  chosen?: Address | undefined;
  onChoose?: (address: Address | undefined) => void;
}) {
  const addresses = useLoad(
    'addresses',
    async (signal) => (await shop.get('/api/v1/addresses', { query: { limit: 100 }, signal })).data,
  );
  const [isAdding, setAdding] = useState(false);
  const { data } = addresses;
  useEffect(() => {
    if (onChoose && data && !data.some(({ id }) => id === chosen?.id)) onChoose(data[0]);
  }, [data]);
  if (!data) {
    return addresses.error ? (
      <Problem error={addresses.error} retry={addresses.reload} />
    ) : (
      <Skeleton count={1} kind="row" />
    );
  }
  return (
    <div class="addresses">
      <fieldset>
        <legend class="visually-hidden">Address</legend>
        {data.map((address) => (
          <AddressRow
            address={address}
            isChosen={address.id === chosen?.id}
            onChoose={onChoose && (() => onChoose(address))}
            onDeleted={addresses.reload}
            key={address.id}
          />
        ))}
      </fieldset>
      {isAdding || data.length === 0 ? (
        <NewAddress
          onAdded={(address) => {
            setAdding(false);
            addresses.replace([address, ...data]);
            onChoose?.(address);
          }}
        />
      ) : (
        <button type="button" class="link" onClick={() => setAdding(true)}>
          Add an address
        </button>
      )}
    </div>
  );
}

function AddressRow({
  address,
  isChosen,
  onChoose,
  onDeleted,
}: {
  address: Address;
  isChosen: boolean;
  onChoose: (() => void) | undefined;
  onDeleted: () => void;
}) {
  const remove = useAction(async () => {
    await shop.delete('/api/v1/addresses/{id}', { path: { id: address.id } });
    onDeleted();
  });
  const text = (
    <span>
      {address.label && <strong>{address.label}</strong>}
      {address.address}
      <br />
      {[address.postal_code, address.city].filter(Boolean).join(' ')}
    </span>
  );
  if (onChoose) {
    return (
      <label class="choice">
        <input type="radio" name="address" checked={isChosen} onChange={onChoose} />
        {text}
      </label>
    );
  }
  return (
    <div class="choice">
      {text}
      <button type="button" class="link" aria-label={`Delete ${address.label || address.address}`} onClick={remove.run}>
        Delete
      </button>
      <Problem error={remove.error} />
    </div>
  );
}

function NewAddress({ onAdded }: { onAdded: (address: Address) => void }) {
  const add = useAction(async (form: HTMLFormElement) => {
    const { label = '', address = '', city = '', postal_code = '' } = fieldsOf(form);
    const { id } = await shop.post('/api/v1/addresses', {
      body: { address, ...(label && { label }), ...(city && { city }), ...(postal_code && { postal_code }) },
    });
    onAdded(await shop.get('/api/v1/addresses/{id}', { path: { id } }));
  });
  const errors = fieldErrors(add.error);
  return (
    <form class="stack" onSubmit={submits(add)}>
      <Field
        label="Street and number"
        name="address"
        required
        autocomplete="street-address"
        maxLength={1000}
        error={errors.address}
      />
      <div class="range">
        <Field
          label="Postal code"
          name="postal_code"
          required
          autocomplete="postal-code"
          maxLength={20}
          error={errors.postal_code}
        />
        <Field label="City" name="city" required autocomplete="address-level2" maxLength={100} error={errors.city} />
      </div>
      <Field label="Name of this address" name="label" placeholder="Home" maxLength={100} error={errors.label} />
      <Problem error={add.error} />
      <ActionButton class="quiet" isRunning={add.isRunning}>
        Save address
      </ActionButton>
    </form>
  );
}

export const AddressesPage = () => (
  <>
    <PageTitle title="Addresses" />
    <div class="narrow">
      <Addresses />
    </div>
  </>
);
