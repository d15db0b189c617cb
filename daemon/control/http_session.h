// One HTTP connection: reads a request, answers it, and so on until the peer leaves or idles.
#pragma once

#include <boost/asio/generic/stream_protocol.hpp>

#include "control/routes.h"

namespace repld::control {

using StreamSocket = boost::asio::generic::stream_protocol::socket;

// Serves the connection on its executor; it keeps itself alive. Closes at once when too many are
// open already. `port` must outlive the io_context's run.
void serve(StreamSocket socket, const ControlPort& port, Access access);

}  // namespace repld::control
