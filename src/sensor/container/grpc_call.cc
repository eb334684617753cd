#include "sensor/container/grpc_call.h"

#include <grpcpp/grpcpp.h>

#include <chrono>

#include "sensor/container/runtime_client.h"

namespace redoubt::sensor {

std::shared_ptr<grpc::Channel> runtime_channel(const std::string& socket) {
  grpc::ChannelArguments arguments;
  arguments.SetMaxReceiveMessageSize(static_cast<int>(kRuntimeAnswerBytesMax));
  // The server sees the socket's path as the name otherwise, which Go's refuses.
  arguments.SetString(GRPC_ARG_DEFAULT_AUTHORITY, "localhost");
  arguments.SetInt(GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, kRuntimeCallMs);
  return grpc::CreateCustomChannel("unix://" + socket, grpc::InsecureChannelCredentials(), arguments);
}

void limit_call(grpc::ClientContext& context) {
  context.set_deadline(std::chrono::system_clock::now() + std::chrono::milliseconds(kRuntimeCallMs));
}

Error runtime_error(const std::string& asked, const grpc::Status& status) {
  Errc code = Errc::io;
  if (status.error_code() == grpc::StatusCode::NOT_FOUND) code = Errc::not_found;
  if (status.error_code() == grpc::StatusCode::UNAVAILABLE) code = Errc::unavailable;
  if (status.error_code() == grpc::StatusCode::UNIMPLEMENTED) code = Errc::unavailable;
  if (status.error_code() == grpc::StatusCode::DEADLINE_EXCEEDED) code = Errc::timeout;
  return {code, asked + ": " + status.error_message()};
}

}  // namespace redoubt::sensor
