// What the operator asks for through the control socket, given to the links and answered.
//
// On the control thread, which runs no SQL: what asks a server does so on a thread of its own.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/thread_pool.hpp>
#include <functional>
#include <stop_token>

#include "app/one_way.h"
#include "control/control_port.h"
#include "cutover/conductor.h"

namespace repld::app {

class Commands {
 public:
  using Reply = std::function<void(control::CommandResult)>;

  // `publish`: takes the status anew, on the control thread. Borrows the rest.
  Commands(boost::asio::io_context& io, OneWay& forward, OneWay& back,
           cutover::Conductor& conductor, std::function<void()> publish)
      : io_(io),
        forward_(forward),
        back_(back),
        conductor_(conductor),
        publish_(std::move(publish)) {}

  // `reply` is called once, on any thread.
  void execute(const control::CommandRequest& request, const Reply& reply);
  // Waits for what asks a server at the moment.
  void stop_asking();

 private:
  // From any thread, with the status as it is after the command.
  void answer(const Reply& reply, const control::CommandResult& result);
  // Answers, and returns false, where what changes rows or tables must not come into a cutover.
  bool is_idle(const Reply& reply, bool source_gone = false);
  void skip(Lsn transaction, const Reply& reply);
  void mark(const Reply& reply);
  void resync(const std::vector<std::string>& tables);
  void cut_over(const control::CommandRequest& request, Side to, const Reply& reply);
  void finalize(bool source_gone, const Reply& reply);
  void finalize_forward(bool source_gone, const std::vector<std::string>& left, const Reply& reply);

  boost::asio::io_context& io_;
  OneWay& forward_;
  OneWay& back_;
  cutover::Conductor& conductor_;
  const std::function<void()> publish_;
  boost::asio::thread_pool asking_{1};
  std::stop_source end_;
};

}  // namespace repld::app
