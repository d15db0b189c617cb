-- server_cron_jobs: jobs of pg_cron that run in this database. What they do is not asked for: it may
-- hold keys. Older versions lack some columns.
-- returns: name or number, number and schedule
select coalesce(j ->> 'jobname', j ->> 'jobid'), concat_ws(', ', 'ID ' || (j ->> 'jobid'), j ->> 'schedule')
  from (select to_jsonb(job) as j from cron.job) t
 where coalesce((j ->> 'active')::boolean, true)
   and coalesce(j ->> 'database', current_database()) = current_database()
 order by 1
