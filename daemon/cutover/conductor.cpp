#include "cutover/conductor.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "base/clock.h"
#include "base/pause.h"
#include "cutover/journal.h"

namespace repld::cutover {

namespace {

constexpr std::chrono::milliseconds kRetryMin{100};
constexpr std::chrono::milliseconds kRetryMax{3000};

Error as_error(const std::exception& failure) {
  const auto* error = dynamic_cast<const Error*>(&failure);
  return error != nullptr ? *error : Error(ErrorKind::internal, failure.what());
}

}  // namespace

void Conductor::start() {
  thread_ = std::jthread([this](const std::stop_token& stop) { run(stop); });
}

void Conductor::stop() {
  thread_.request_stop();
  if (thread_.joinable()) {
    thread_.join();
  }
}

int64_t Conductor::begin(const Request& request) {
  const std::lock_guard lock(mutex_);
  if (!ready_ || request_) {
    throw Error(ErrorKind::refused, ready_ ? "another cutover is under way"
                                           : "an earlier cutover is being brought to its end")
        .hint("replctl events tells how it goes.");
  }
  request_ = request;
  if (request.max_freeze_ms == 0) {
    request_->max_freeze_ms = config_.copy().cutover.max_freeze_ms;
  }
  taken_ = false;
  status_.with([&](std::optional<CutoverStatus>& status) {
    status.emplace();
    status->number = ++number_;
    status->group = request.group;
    status->to = request.to;
    status->dry_run = request.dry_run;
  });
  stirred_.notify_all();
  return number_;
}

void Conductor::require_idle() {
  require_none_begun();
  const std::lock_guard lock(mutex_);
  if (!ready_) {
    throw Error(ErrorKind::refused, "an earlier cutover may have to be brought to its end")
        .detail("that is not known before both servers were asked")
        .hint("replctl events tells how it goes.");
  }
}

void Conductor::require_none_begun() {
  const std::lock_guard lock(mutex_);
  if (request_) {
    throw Error(ErrorKind::refused, "a cutover is under way")
        .hint("replctl events tells how it goes.");
  }
}

void Conductor::forget() {
  routes_.with([](std::optional<link::Routes>& routes) { routes.emplace(); });
  changed_();
}

void Conductor::run(const std::stop_token& stop) {
  auto rest = kRetryMin;
  while (!stop.stop_requested() && !recover(stop)) {
    pause(rest, stop);
    rest = std::min(rest * 2, kRetryMax);
  }
  std::unique_lock lock(mutex_);
  ready_ = !stop.stop_requested();
  while (!stop.stop_requested()) {
    stirred_.wait(lock, stop, [this] { return request_ && !taken_; });
    if (stop.stop_requested()) {
      return;
    }
    taken_ = true;
    const Request request = *request_;
    lock.unlock();
    serve(request, stop);
    lock.lock();
    request_.reset();
  }
}

// Whether nothing is left that a process before this one began.
bool Conductor::recover(const std::stop_token& stop) {
  try {
    read_routes();
    std::vector<Course> courses;
    for (const Side side : {Side::source, Side::target}) {
      pg::Session session(links_.server(side));
      for (const Course& course : unfinished(session, links_.name())) {
        const bool known = std::any_of(courses.begin(), courses.end(),
                                       [&](const Course& each) { return each.id == course.id; });
        if (!known) {
          courses.push_back(course);
        }
      }
    }
    for (const Course& course : courses) {
      recover_one(course, stop);
    }
    return !stop.stop_requested();
  } catch (const std::exception& failure) {
    const Error error = as_error(failure);
    if (error.kind() != ErrorKind::connect) {
      tell_once("an earlier cutover cannot be ended yet", error);
    }
    return false;
  }
}

void Conductor::recover_one(const Course& course, const std::stop_token& stop) {
  const JournalState on_old = settled_state(links_.server(other(course.to)), course.id);
  const JournalState on_new = settled_state(links_.server(course.to), course.id);
  const auto state = resume_from(on_old, on_new);
  if (!state) {
    return;
  }
  status_.with([&](std::optional<CutoverStatus>& status) {
    status.emplace();
    status->id = course.id;
    status->group = course.group;
    status->to = course.to;
  });
  links_.forward.record("cutover",
                        fmt::format("an earlier process left group {} on its way to the "
                                    "{}: {}",
                                    course.group, to_string(course.to), to_string(*state)));
  if (*state != CutoverState::withdrawing) {
    witness().moved(course, std::nullopt);
  }
  Passage passage(links_, prepare_proof_, witness(), stop);
  passage.resume(course, config_.copy());
  travel(passage, *state, stop);
}

// A side that cannot be asked may know better than the other.
void Conductor::read_routes() {
  link::Routes routes;
  for (const Side side : {Side::source, Side::target}) {
    pg::Session session(links_.server(side));
    routes = link::newest(routes, routes_of(session, links_.name()));
  }
  routes_.with([&](std::optional<link::Routes>& value) { value = routes; });
  changed_();
}

void Conductor::serve(const Request& request, const std::stop_token& stop) {
  links_.forward.record("cutover",
                        fmt::format("group {} to the {}{}", request.group, to_string(request.to),
                                    request.dry_run ? ", only rehearsed" : ""));
  Passage passage(links_, prepare_proof_, witness(), stop);
  passage.embark(request, config_.copy());
  if (!request.dry_run) {
    travel(passage, CutoverState::checking, stop);
    return;
  }
  CutoverState state = CutoverState::checking;
  enter(state);
  const bool passed = perform(passage, state, stop);
  end(passed ? CutoverState::completed : CutoverState::withdrawn);
}

void Conductor::travel(Passage& passage, CutoverState first, const std::stop_token& stop) {
  CutoverState state = first;
  auto rest = kRetryMin;
  while (!is_over(state)) {
    enter(state);
    const CutoverState before = state;
    perform(passage, state, stop);
    if (state == before) {
      if (stop.stop_requested()) {
        return;  // the next process goes on
      }
      pause(rest, stop);
      rest = std::min(rest * 2, kRetryMax);
    } else {
      rest = kRetryMin;
    }
  }
  end(state);
}

// Moves `state` on. Whether the step did what it was to do.
bool Conductor::perform(Passage& passage, CutoverState& state, const std::stop_token& stop) {
  try {
    // Asked for here, so that what has begun to lock or to commit is not cut short.
    if (stop.stop_requested() && !is_retried(state) && state != CutoverState::committing) {
      throw Error(ErrorKind::refused, "the daemon is stopping");
    }
    state = advance(state, passage.perform(state));
    return true;
  } catch (const std::exception& failure) {
    fail(state, as_error(failure));
    state = advance(state, CutoverEvent::failed);
    return false;
  }
}

Witness Conductor::witness() {
  Witness witness;
  witness.came_of_it = [this](const std::string& text) {
    status_.with([&](std::optional<CutoverStatus>& status) {
      std::string& shown = status->steps.back().text;
      shown += (shown.empty() ? "" : "; ") + text;
    });
  };
  witness.found = [this](const Course& course, const Preflight& preflight) {
    status_.with([&](std::optional<CutoverStatus>& status) {
      status->id = course.id;
      status->findings = preflight.findings;
      status->plan = preflight.plan;
    });
  };
  witness.moved = [this](const Course& course, std::optional<double> freeze_seconds) {
    routes_.with([&](std::optional<link::Routes>& routes) {
      if (!routes) {
        routes.emplace();
      }
      (*routes)[course.group] = {course.to, course.generation};
    });
    if (freeze_seconds) {
      status_.with(
          [&](std::optional<CutoverStatus>& status) { status->freeze_seconds = freeze_seconds; });
    }
    changed_();
  };
  return witness;
}

void Conductor::enter(CutoverState state) {
  const double now = now_seconds();
  status_.with([&](std::optional<CutoverStatus>& status) {
    if (!status->steps.empty()) {
      CutoverStep& last = status->steps.back();
      last.seconds = now - last.at;
      if (last.state == state) {
        return;  // tried again
      }
    }
    status->state = state;
    status->steps.push_back({state, now, 0, ""});
  });
  changed_();
}

void Conductor::end(CutoverState state) {
  const CutoverStatus ended = *status_.with([&](std::optional<CutoverStatus>& status) {
    if (!status->steps.empty()) {
      CutoverStep& last = status->steps.back();
      last.seconds = now_seconds() - last.at;
    }
    status->state = state;
    status->running = false;
    if (state == CutoverState::completed) {
      status->failure.reset();
    }
    return status;
  });
  std::string text = fmt::format("group {} to the {}: {}", ended.group, to_string(ended.to),
                                 ended.dry_run ? "rehearsed" : to_string(state));
  if (ended.freeze_seconds) {
    text += fmt::format(", writers waited {:.0f} ms", *ended.freeze_seconds * 1e3);
  }
  if (ended.failure) {
    text += fmt::format("; {} {}", ended.failure->message, ended.failure->detail);
  }
  links_.forward.record("cutover", text);
  changed_();
}

// Of what is tried over and over.
void Conductor::tell_once(const std::string& what, const Error& error) {
  const std::string text = fmt::format("{}: {} {}", what, error.what(), error.detail());
  if (std::exchange(told_, text) != text) {
    links_.forward.record("cutover", text);
  }
}

// The first failure says why it was withdrawn; of what is tried again the newest counts.
void Conductor::fail(CutoverState state, const Error& error) {
  if (is_retried(state)) {
    tell_once(fmt::format("{} is tried again", to_string(state)), error);
  }
  status_.with([&](std::optional<CutoverStatus>& status) {
    if (!status->failure || (is_retried(state) && state != CutoverState::withdrawing)) {
      status->failure = error_status(error, now_seconds());
    }
    std::string& text = status->steps.back().text;
    if (text.find(error.what()) == std::string::npos) {
      text += (text.empty() ? "" : "; ") + std::string(error.what());
    }
  });
}

}  // namespace repld::cutover
