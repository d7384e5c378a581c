"""The one statement behind the GRNI report: every order line with what was received, billed and left open by a day.

It lays all movements of a back-order chain side by side and adds them up in windows, so that nothing is joined with
anything PostgreSQL would have to guess the size of: 50,000 lines take about as long as sorting their movements does.

A line whose ledger is even (R = E - C, nothing of ours on its way) and that has no document dated after the day has
R = B on that day, and so has every chain of such lines. They are not looked at: what a report costs grows with what is
open, not with what was ever ordered. A report of the past looks at what has moved since as well.

Both sides are lined up first in, first out. A receipt, or a bill, takes the stretch of the line's quantity between what
came before it and itself; what of the receipts lies beyond B is not billed, what of the bills lies beyond R is prepaid.

Money is rounded half up to the currency's decimals, line by line, so that sums are sums of what is shown (A12); the
ages of a line are rounded as they add up, so that they make its accrual.

A line judged by its amount has money for quantities, at a price of 1. Bills and receipts in another unit may be
fractions, which a column or the ERP rounds at ten places or more, so sums are rounded at nine: seven and 113 twelfths
make ten (U04). What is never received, a service or an expense, has nothing to wait for and is on no side.
"""

from models.domain.currencies import DECIMALS, OTHER_DECIMALS
from models.store.orders.order_links import COUNTS, RECEIVED, SENT_BACK
from models.tables import UNSETTLED

_DECIMALS = (
    "case o.currency "
    + " ".join(f"when '{currency}' then {places}" for currency, places in OTHER_DECIMALS.items())
    + f" else {DECIMALS} end"
)

LOOKED_AT = f"""    select chain_line from purchase_order_lines
     where split_part(chain_line, '/', 1) in (select id from companies) and {UNSETTLED}
    union
    select l.chain_line from recent r join purchase_order_lines l on l.purchase_order_id = r.purchase_order_id
    union
    select l.chain_line from bill_lines b
      join purchase_order_lines l on l.purchase_order_id = b.purchase_order_id and l.line_no = b.purchase_order_line_no
     where b.gives_back and split_part(l.chain_line, '/', 1) in (select id from companies)
"""
"""The chains that may differ on the day."""

OPEN_LINES = f"""
with companies as (
    select id from connections
     where organization_id = :organization and purchase_orders_enabled
       and (cast(:connection as text) is null or id = :connection)
), recent as (
    select purchase_order_id from receipts
     where connection_id in (select id from companies) and received_on > :as_of
    union
    select purchase_order_id from bills
     where connection_id in (select id from companies) and posting_date > :as_of
    union
    select bl.purchase_order_id from bills b join bill_lines bl on bl.bill_id = b.id
     where b.connection_id in (select id from companies) and b.posting_date > :as_of
    union
    select id from purchase_orders
     where connection_id in (select id from companies) and ordered_on > :as_of
    union
    select purchase_order_id from bill_lines where reserves
), looked_at as materialized (
{LOOKED_AT}), held as materialized (
    select l.chain_line, l.purchase_order_id, l.line_no, l.erp_id, l.basis, l.quantity, l.amount, l.price, l.billed,
           l.billed_amount, l.credited, l.credited_amount, l.returned_by_credits, l.returned_on, l.deleted,
           o.connection_id, o.document_id, o.ordered_on, o.number, o.deleted_at
      from looked_at c
      join purchase_order_lines l on l.chain_line = c.chain_line
      join purchase_orders o on o.id = l.purchase_order_id
     -- A condition on the order's own connection would have PostgreSQL begin with all orders of the connection.
     where split_part(c.chain_line, '/', 1) in (select id from companies)
       and (cast(:vendor as text) is null or o.vendor_id = :vendor)
), movements as (
    select chain_line, 'line' as kind, ordered_on as day, number as name, purchase_order_id as id, line_no,
           case basis when 'amount' then amount else quantity end as quantity,
           case basis when 'amount' then billed_amount - credited_amount else billed - credited end as erp_billed,
           cast(null as numeric) as amount, false as pending,
           deleted_at is null as live, chain_line = connection_id || '/' || erp_id as first
      from held where not deleted
    union all
    select l.chain_line, 'receipt', r.received_on, r.number, r.id, rl.line_no,
           {RECEIVED} * case l.basis when 'amount' then l.price else 1 end, 0, null, false, false, false
      from held l
      join receipts r on r.purchase_order_id = l.purchase_order_id
      join receipt_lines rl on rl.receipt_id = r.id and rl.order_line = l.erp_id
     where not l.deleted
       and {COUNTS}
    union all
    -- What went back to the vendor, which receipts keep.
    select l.chain_line, 'receipt', r.received_on, r.number, r.id, rl.line_no,
           -rl.quantity * case l.basis when 'amount' then l.price else 1 end, 0, null, false, false, false
      from held l
      join receipts r on r.purchase_order_id = l.purchase_order_id
      join receipt_lines rl on rl.receipt_id = r.id and rl.order_line = l.erp_id
     where not l.deleted
       and {SENT_BACK}
    union all
    -- What went back by the word of credits alone, on the day of the last of them.
    select chain_line, 'receipt', coalesce(returned_on, ordered_on), 'returned', purchase_order_id, line_no,
           -unseen, 0, null, false, false, false
      from (select h.*, h.returned_by_credits - coalesce((
                select sum(rl.quantity) from receipts r join receipt_lines rl on rl.receipt_id = r.id
                 where r.purchase_order_id = h.purchase_order_id and rl.order_line = h.erp_id and {SENT_BACK}), 0)
                   as unseen
              from held h where not h.deleted and h.returned_by_credits > 0) as by_credits
     where unseen > 0
    union all
    -- Credits of ours in an ERP that does not say which order lines its credits take back: they are still inside E.
    select l.chain_line, 'given_back', b.posting_date, b.number, b.id, bl.line_no, 0,
           case l.basis when 'amount' then bl.amount else bl.quantity end, null, false, false, false
      from held l
      join bill_lines bl on bl.gives_back and bl.purchase_order_id = l.purchase_order_id
                        and bl.purchase_order_line_no = l.line_no
      join bills b on b.id = bl.bill_id and b.status in ('synced', 'scheduled', 'partially_paid', 'paid')
      join connections n on n.id = b.connection_id
                        and not coalesce((n.capabilities ->> 'credits_name_orders')::boolean, false)
     where not l.deleted
    union all
    select l.chain_line, 'bill', b.posting_date, b.number, b.id, bl.line_no,
           case l.basis when 'amount' then part.amount else part.quantity end, 0, part.amount, part.pending, false,
           false
      from held l
      join bill_lines bl on bl.purchase_order_id = l.purchase_order_id and bl.purchase_order_line_no = l.line_no
      join bills b on b.id = bl.bill_id
      -- Of a bill in parts, some may be inside E already.
      join lateral (values (bl.quantity - bl.settled_quantity, bl.amount - bl.settled_amount, bl.reserves),
                           (bl.settled_quantity, bl.settled_amount, false)) as part(quantity, amount, pending)
        on part.amount <> 0 or part.quantity <> 0 or bl.amount = 0 and part.pending = bl.reserves
     where (bl.quantity is not null or l.basis = 'amount')
       and (bl.reserves or (b.status not in ('deleted', 'abandoned', 'disputed') and not l.deleted))
    union all
    -- Bills that came in before their order: they still say which line they were converted from.
    select l.chain_line, 'bill', b.posting_date, b.number, b.id, bl.line_no,
           case l.basis when 'amount' then bl.amount else bl.quantity end, 0, bl.amount, false, false, false
      from held l
      join bills b on b.purchase_order_id = l.purchase_order_id
                  and b.origin = 'erp' and b.status not in ('deleted', 'abandoned')
      join bill_lines bl on bl.bill_id = b.id and bl.purchase_order_line_no is null
     where not l.deleted and bl.sources->0->>'document_id' = l.document_id and bl.sources->0->>'line' = l.erp_id
       and (bl.quantity is not null or l.basis = 'amount')
), summed as (
    -- E less C, and what the documents we hold say, credits among them: all of them, and those up to the day.
    select m.*,
           trim_scale(round(sum(erp_billed) over chain, 9)) as e,
           trim_scale(round(coalesce(sum(quantity) filter (where pending) over chain, 0), 9)) as p,
           trim_scale(round(coalesce(sum(quantity) filter (where kind = 'receipt') over chain, 0), 9)) as received_ever,
           trim_scale(round(coalesce(sum(quantity) filter (where kind = 'receipt' and day <= :as_of) over chain, 0), 9))
               as r,
           trim_scale(round(coalesce(sum(quantity) filter (where kind = 'bill') over chain, 0), 9)) as known_ever,
           trim_scale(round(coalesce(sum(quantity) filter (where kind = 'bill' and day <= :as_of) over chain, 0), 9))
               as known,
           trim_scale(round(coalesce(sum(quantity) filter (where pending and day <= :as_of) over chain, 0), 9))
               as pending_by_then,
           min(day) filter (where kind = 'line') over chain <= :as_of as begun,
           coalesce(sum(quantity) filter (where quantity > 0) over earlier, 0) as reached
      from movements m
    window chain as (partition by chain_line),
           earlier as (partition by chain_line, kind order by day, name, id, line_no)
), without_bill as (
    -- What the ERP reports billed without a bill we know: as far as goods had come for it, it counts from their day.
    select s.*, e + p - known_ever as undated,
           greatest(e + p - known_ever - greatest(received_ever - known_ever, 0), 0) as undated_ahead
      from summed s
), billed as (
    select w.*,
           case when undated < 0 then least(known, e + p)
                else greatest(known, least(known + undated - undated_ahead, r))
                     + case when begun then undated_ahead else 0 end
           end as b
      from without_bill w
), stretches as (
    select b.*,
           case when kind = 'receipt' and quantity > 0 and day <= :as_of and r > b
                then greatest(least(reached, r) - greatest(reached - quantity, b), 0) else 0 end as unbilled,
           case when kind = 'bill' and quantity > 0 and day <= :as_of and b > r
                then greatest(least(reached + greatest(b - known, 0), b)
                              - greatest(reached + greatest(b - known, 0) - quantity, r), 0) else 0 end as ahead
      from billed b
), chains as (
    select (array_agg(id order by not live, not first, day, name) filter (where kind = 'line'))[1] as order_id,
           (array_agg(line_no order by not live, not first, day, name) filter (where kind = 'line'))[1] as line_no,
           sum(quantity) filter (where first) as o,
           max(r) as r, max(b) as b, max(received_ever) as received_ever,
           max(pending_by_then) as pending, max(b) - max(known) as undated,
           sum(unbilled) filter (where :as_of - day <= 30) as days_0_30,
           sum(unbilled) filter (where :as_of - day between 31 and 60) as days_31_60,
           sum(unbilled) filter (where :as_of - day between 61 and 90) as days_61_90,
           sum(unbilled) filter (where :as_of - day > 90) as days_over_90,
           min(day) filter (where unbilled > 0) as oldest_on,
           (array_agg(name order by day, name, id, line_no) filter (where unbilled > 0))[1] as oldest,
           trim_scale(round(sum(ahead), 9)) as ahead,
           trim_scale(round(sum(ahead * amount / quantity) filter (where ahead > 0), 10)) as ahead_amount
      from stretches
     group by chain_line
    having coalesce(bool_or(live), false)
), lines as (
    select o.connection_id, o.vendor_id, o.vendor_name, o.currency, o.id as purchase_order_id, o.number,
           l.line_no, l.item_id, l.description, l.unit, l.closed, p.price,
           coalesce(c.o, l.quantity) as ordered, c.r as received, c.b as billed, c.pending, c.undated,
           greatest(c.r - c.b, 0) as accrual_quantity,
           round(greatest(c.r - c.b, 0) * p.price, p.places) as accrual,
           round(a.to_30 * p.price, p.places) as days_0_30,
           round(a.to_60 * p.price, p.places) - round(a.to_30 * p.price, p.places) as days_31_60,
           round(a.to_90 * p.price, p.places) - round(a.to_60 * p.price, p.places) as days_61_90,
           round(a.all_ages * p.price, p.places) - round(a.to_90 * p.price, p.places) as days_over_90,
           c.oldest_on, c.oldest,
           greatest(c.b - c.r, 0) as prepaid_quantity,
           round(coalesce(c.ahead_amount, 0) + (greatest(c.b - c.r, 0) - c.ahead) * p.price, p.places) as prepaid
      from chains c
      join purchase_orders o on o.id = c.order_id
      join purchase_order_lines l on l.purchase_order_id = o.id and l.line_no = c.line_no
     cross join lateral (select case l.basis when 'amount' then 1 else l.price end as price, {_DECIMALS} as places) p
     cross join lateral (select coalesce(c.days_0_30, 0) as to_30,
                                coalesce(c.days_0_30, 0) + coalesce(c.days_31_60, 0) as to_60,
                                coalesce(c.days_0_30, 0) + coalesce(c.days_31_60, 0) + coalesce(c.days_61_90, 0)
                                    as to_90,
                                coalesce(c.days_0_30, 0) + coalesce(c.days_31_60, 0) + coalesce(c.days_61_90, 0)
                                    + coalesce(c.days_over_90, 0) as all_ages) a
     where c.r <> c.b
       and (c.received_ever <> 0
            or (l.receivable and not exists (
                select from list_entries i
                 where i.connection_id = o.connection_id and i.kind = 'item' and i.key = l.item_id
                   and i.attributes->>'receivable' = 'false')))
)
"""
"""Parameters: organization, connection (or null), vendor (or null), as_of. `lines` are those where R and B differ."""
