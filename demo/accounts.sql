-- Two tables between which every transaction of the writer moves an amount. The sum over both is
-- the same in every snapshot, so a reader of the copy sees at once whether it is shown half a
-- transaction.
create table cash_accounts (
  id integer primary key,
  amount bigint not null
);

create table card_accounts (
  id integer primary key,
  amount bigint not null
);
