-- joining: tables that join a link, or leave it, while it streams.
--
-- table_state.state  'joining': guarded, but its changes are left out until it is copied at a fence;
--                    'leaving': its changes are left out, and what was set aside is coming back
-- copy_chunk.root_*  the table of table_state that the chunk belongs to. Chunks copied before this
--                    migration are forgotten: nothing asks for them any more

alter table repld.table_state
  drop constraint table_state_state_check,
  add constraint table_state_state_check
    check (state in ('copying', 'copied', 'joining', 'leaving'));
delete from repld.copy_chunk;
alter table repld.copy_chunk
  add column root_schema text,
  add column root_name text;
