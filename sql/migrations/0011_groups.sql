-- groups: which group a table of a link had when it was last looked at.
--
-- table_state.group_name  the configuration may put the table into another one, but not onto the
--                         other side, see link/placement. Null: not looked at yet

alter table repld.table_state add column group_name text;
