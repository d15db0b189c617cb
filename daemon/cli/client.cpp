#include "cli/client.h"

#include <boost/asio/io_context.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>

namespace repld::cli {

namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
using Stream = beast::basic_stream<asio::local::stream_protocol>;

constexpr std::chrono::seconds kPatience{3};  // with a command, before its wait is explained

}  // namespace

Answer Client::ask(const char* method, const std::string& target, const std::string& body,
                   std::optional<std::chrono::milliseconds> limit,
                   const std::function<void()>& slow) const {
  asio::io_context io;
  Stream stream(io);
  if (limit) {
    stream.expires_after(*limit);
  } else {
    stream.expires_never();
  }
  asio::steady_timer patience(io, kPatience);
  if (slow) {
    patience.async_wait([&](beast::error_code ended) {
      if (!ended) slow();
    });
  }
  http::request<http::string_body> request(http::string_to_verb(method), target, 11);
  request.set(http::field::host, "repld");
  request.keep_alive(false);
  if (!body.empty()) {
    request.body() = body;
    request.prepare_payload();
  }
  beast::flat_buffer buffer;
  http::response_parser<http::string_body> parser;
  parser.body_limit(std::numeric_limits<std::uint64_t>::max());
  Answer answer;
  const auto finish = [&](beast::error_code not_read, size_t) {
    answer.reached = !not_read;
    patience.cancel();
  };
  stream.async_connect(
      asio::local::stream_protocol::endpoint(socket_path_), [&](beast::error_code no_connection) {
        if (no_connection) return finish(no_connection, 0);
        http::async_write(stream, request, [&](beast::error_code not_sent, size_t) {
          if (not_sent) return finish(not_sent, 0);
          answer.asked = true;
          http::async_read(stream, buffer, parser, finish);
        });
      });
  io.run();
  if (answer.reached) {
    answer.status = static_cast<int>(parser.get().result_int());
    answer.body = std::move(parser.get().body());
  }
  return answer;
}

}  // namespace repld::cli
