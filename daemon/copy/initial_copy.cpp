#include "copy/initial_copy.h"

#include <algorithm>
#include <mutex>
#include <thread>

namespace repld::copy {

namespace {

constexpr int64_t kChunkPages = 8192;  // 64 MB

// The list of chunks and what became of them, shared by the workers.
class Work {
 public:
  Work(const CopyPlan& plan, const CopyObserver& observer)
      : plan_(plan), observer_(observer), chunks_(plan_chunks(plan.tables, kChunkPages)) {
    left_.resize(plan.tables.size());
    for (const Chunk& chunk : chunks_) {
      ++left_[chunk.table];
    }
  }

  std::optional<Chunk> next() {
    const std::lock_guard lock(mutex_);
    if (failure_ || next_ == chunks_.size()) {
      return std::nullopt;
    }
    return chunks_[next_++];
  }

  void progress(const Chunk& chunk, int64_t bytes) {
    const std::lock_guard lock(mutex_);
    observer_.progress(plan_.tables[chunk.table].name, 0, bytes);
  }

  void done(const Chunk& chunk, const Copied& copied) {
    const std::lock_guard lock(mutex_);
    const TableName& table = plan_.tables[chunk.table].name;
    observer_.progress(table, copied.rows, 0);
    if (--left_[chunk.table] == 0) {
      observer_.finished(table);
    }
  }

  void fail(std::exception_ptr failure) {
    const std::lock_guard lock(mutex_);
    if (!failure_) {
      failure_ = std::move(failure);
    }
  }

  void rethrow_failure() {
    if (failure_) {
      std::rethrow_exception(failure_);
    }
  }

 private:
  const CopyPlan& plan_;
  const CopyObserver& observer_;
  const std::vector<Chunk> chunks_;
  std::mutex mutex_;
  size_t next_ = 0;             // guarded by mutex_
  std::vector<size_t> left_;    // guarded by mutex_
  std::exception_ptr failure_;  // guarded by mutex_ while workers run
};

ChunkSource describe(const CopyPlan& plan, const Chunk& chunk) {
  const SourceTable& table = plan.tables[chunk.table];
  const SourceLeaf& leaf = table.leaves[chunk.leaf];
  return {leaf.name,    leaf.oid,   chunk.first_page, chunk.end_page, plan.targets[chunk.table],
          leaf.columns, leaf.filter};
}

void work(const pg::Server& source, const pg::Server& target, const CopyPlan& plan, Work& list,
          const std::stop_token& stop) {
  try {
    ChunkCopy copy(source, target, {plan.link, plan.snapshot, plan.guard_nonce, plan.owner});
    while (const auto chunk = list.next()) {
      if (stop.stop_requested()) {
        throw Error(ErrorKind::connect, "stopped");
      }
      const Copied copied = copy.run(describe(plan, *chunk), stop,
                                     [&](int64_t bytes) { list.progress(*chunk, bytes); });
      list.done(*chunk, copied);
    }
  } catch (...) {
    list.fail(std::current_exception());
  }
}

}  // namespace

void copy_tables(const pg::Server& source, const pg::Server& target, const CopyPlan& plan,
                 const CopyObserver& observer, const std::stop_token& stop) {
  Work list(plan, observer);
  {
    std::vector<std::jthread> workers;
    for (int i = 0; i < std::max(plan.workers, 1); ++i) {
      workers.emplace_back([&] { work(source, target, plan, list, stop); });
    }
  }
  list.rethrow_failure();
}

}  // namespace repld::copy
