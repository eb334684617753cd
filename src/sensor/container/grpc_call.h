// What both clients of gRPC runtimes share. For .cc files that own gRPC.
#pragma once

#include <map>
#include <memory>
#include <string>

#include "base/result.h"

namespace grpc {
class Channel;
class ClientContext;
class Status;
}  // namespace grpc

namespace redoubt::sensor {

std::shared_ptr<grpc::Channel> runtime_channel(const std::string& socket);
void limit_call(grpc::ClientContext& context);
// `asked`: what the message names.
Error runtime_error(const std::string& asked, const grpc::Status& status);

}  // namespace redoubt::sensor
