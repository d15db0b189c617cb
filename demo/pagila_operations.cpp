// What a video rental shop writes to the Pagila sample database: rules that send payments to
// inheritance children without a key, a full-text trigger, key changes that cascade.
#include "operation.h"

namespace repld::demo {
namespace {

std::vector<Operation> rentals() {
  return {
      {"rental: made and paid", 20, false, R"sql(
    insert into rental (rental_date, inventory_id, customer_id, staff_id)
    values (clock_timestamp(), @pick(inventory.inventory_id), @pick(customer.customer_id),
            1 + @n % 2);
    insert into payment (customer_id, staff_id, rental_id, amount, payment_date)
    select customer_id, staff_id, rental_id, (@n % 1000) / 100.0,
           timestamp '2007-01-01' + (@n % 200) * interval '1 day'
      from rental where rental_id = currval('rental_rental_id_seq'))sql"},
      {"rental: returned", 15, false, R"sql(
    update rental set return_date = clock_timestamp()
     where rental_id = @pick(rental.rental_id))sql"},
      {"rental: made, left unpaid", 6, false, R"sql(
    insert into rental (rental_date, inventory_id, customer_id, staff_id)
    values (clock_timestamp(), @pick(inventory.inventory_id), @pick(customer.customer_id),
            1 + @n % 2))sql"},
      {"rental: unpaid one deleted", 3, false, R"sql(
    delete from rental
     where rental_id = (select rental_id from rental r
                         where not exists (select from payment p where p.rental_id = r.rental_id)
                         order by rental_id desc limit 1 for update skip locked))sql"},
      {"rental: renumbered", 2, true, R"sql(
    update rental set rental_id = nextval('rental_rental_id_seq')
     where rental_id = (select rental_id from rental r
                         where not exists (select from payment p where p.rental_id = r.rental_id)
                         order by rental_id desc limit 1 for update skip locked))sql"},
  };
}

std::vector<Operation> payments() {
  return {
      {"payment: straight into a child", 6, false, R"sql(
    insert into payment_p2007_03 (customer_id, staff_id, rental_id, amount, payment_date)
    values (@pick(customer.customer_id), 1 + @n % 2, @pick(rental.rental_id), 4.99,
            '2007-03-05 10:00'))sql"},
      {"payment: the same row twice", 2, false, R"sql(
    insert into payment_p2007_02
    select * from payment_p2007_02 where customer_id = @pick(customer.customer_id) limit 1)sql"},
      {"payment: changed in a child", 5, false, R"sql(
    update payment_p2007_02 set amount = amount + 0.01
     where ctid = (select ctid from payment_p2007_02 where customer_id = @pick(customer.customer_id)
                      and amount < 900 limit 1 for update skip locked))sql"},
      {"payment: changed through the parent", 3, false, R"sql(
    update payment set amount = 5.99
     where customer_id = @pick(customer.customer_id) and payment_date < '2007-03-10')sql"},
      {"payment: deleted in a child", 4, false, R"sql(
    delete from payment_p2007_03
     where ctid = (select ctid from payment_p2007_03 where customer_id = @pick(customer.customer_id)
                    limit 1 for update skip locked))sql"},
      {"payment: truncate of a child", 1, true, "truncate payment_p2007_06"},
      {"payment: truncate of the parent alone", 1, true, "truncate only payment"},
  };
}

std::vector<Operation> catalogue() {
  return {
      {"film: described anew", 10, false, R"sql(
    update film set description = 'A tale of @n brave ' || repeat('cats ', @n % 40),
                    rental_rate = (@n % 999) / 100.0, rating = 'PG-13',
                    special_features = case @n % 3 when 0 then array['Trailers', 'a,"b"', null]
                                                   when 1 then '{}'::text[] end
     where film_id = @pick(film.film_id))sql"},
      {"film: touched only", 4, false,
       "update film set length = 60 + @n % 100 where film_id = @pick(film.film_id)"},
      {"film: renumbered, references follow", 2, true, R"sql(
    update film set film_id = (select max(film_id) + 1 from film)
     where film_id = @pick(film.film_id))sql"},
      {"actor: renumbered, references follow", 1, true, R"sql(
    update actor set actor_id = (select max(actor_id) + 1 from actor)
     where actor_id = @pick(actor.actor_id))sql"},
      {"cast: joined", 4, false, R"sql(
    insert into film_actor (actor_id, film_id)
    values (@pick(actor.actor_id), @pick(film.film_id)) on conflict do nothing)sql"},
      {"cast: left", 3, false, R"sql(
    delete from film_actor
     where film_id = @pick(film.film_id) and actor_id = @pick(actor.actor_id))sql"},
      {"cast: replaced", 2, true, R"sql(
    update film_actor set actor_id = @pick(actor.actor_id)
     where film_id = @pick(film.film_id)
       and actor_id = (select min(actor_id) from film_actor
                        where film_id = @pick(film.film_id)))sql"},
      {"shelf: film bought", 4, false, R"sql(
    insert into inventory (film_id, store_id) values (@pick(film.film_id), 1 + @n % 2))sql"},
  };
}

std::vector<Operation> people() {
  return {
      {"customer: changed", 10, false, R"sql(
    update customer set activebool = not activebool, active = nullif(@n % 3, 2),
                        email = (array[null, '', 'guest@n'])[1 + @n % 3]
     where customer_id = @pick(customer.customer_id))sql"},
      {"customer: new", 3, false, R"sql(
    insert into customer (store_id, first_name, last_name, address_id)
    values (1 + @n % 2, 'ANNA', E'O''HARA \\ @n', @pick(address.address_id)))sql"},
      {"address: changed", 4, false, R"sql(
    update address set phone = '@n', address2 = ''
     where address_id = @pick(address.address_id))sql"},
      {"staff: new picture", 1, true, R"sql(
    update staff set picture = (select decode(string_agg(md5(i::text || random()), ''), 'hex')
                                  from generate_series(1, 4000) i)
     where staff_id = 1 + @n % 2)sql"},
      {"staff: picture left alone", 2, false,
       "update staff set email = 'staff@n' where staff_id = 1 + @n % 2"},
      {"savepoints: inner work thrown away", 4, true, R"sql(
    savepoint outer_work;
    insert into category (name) values ('kept @n');
    savepoint inner_work;
    update card_accounts set amount = amount - 1000000 where id = 1 + @n % 50;
    delete from payment_p2007_04;
    rollback to savepoint inner_work;
    delete from category where category_id > 40;
    release savepoint outer_work)sql"},
  };
}

}  // namespace

std::vector<Operation> pagila_operations() {
  std::vector<Operation> all;
  for (const auto& part : {rentals(), payments(), catalogue(), people()}) {
    all.insert(all.end(), part.begin(), part.end());
  }
  return all;
}

}  // namespace repld::demo
