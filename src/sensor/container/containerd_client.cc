#include <grpcpp/grpcpp.h>

#include "runtime/containerd_containers.grpc.pb.h"
#include "runtime/containerd_images.grpc.pb.h"
#include "sensor/container/grpc_call.h"
#include "sensor/container/label_text.h"
#include "sensor/container/runtime_client.h"

namespace redoubt::sensor {

namespace {

namespace containers = containerd::services::containers::v1;
namespace images = containerd::services::images::v1;

constexpr int64_t kSecondUs = 1'000'000;
constexpr int64_t kMicrosecondNs = 1000;

class ContainerdClient final : public RuntimeClient {
 public:
  ContainerdClient(const std::string& socket, std::string space)
      : space_(std::move(space)), channel_(runtime_channel(socket)) {}

  Result<ContainerFacts> describe(const std::string& id) override {
    containers::GetContainerRequest request;
    request.set_id(id);
    containers::GetContainerResponse response;
    grpc::ClientContext context;
    limit_call(context);
    context.AddMetadata("containerd-namespace", space_);
    const grpc::Status status = containers::Containers::NewStub(channel_)->Get(&context, request, &response);
    if (!status.ok()) return tl::unexpected(runtime_error("get container " + id, status));
    const containers::Container& container = response.container();
    const LabelMap labels = label_map(container.labels());
    ContainerFacts facts;
    const auto name = labels.find("nerdctl/name");
    facts.name = bounded_text(name != labels.end() ? name->second : container.id(), kRuntimeNameBytesMax);
    set_image(facts, container.image());
    if (facts.image_digest.empty()) facts.image_digest = digest_of(container.image());
    facts.labels = label_lines(labels);
    facts.start_us = container.created_at().seconds() * kSecondUs + container.created_at().nanos() / kMicrosecondNs;
    return facts;
  }

 private:
  // Empty where containerd no longer has the image.
  std::string digest_of(const std::string& image) {
    if (image.empty()) return {};
    images::GetImageRequest request;
    request.set_name(image);
    images::GetImageResponse response;
    grpc::ClientContext context;
    limit_call(context);
    context.AddMetadata("containerd-namespace", space_);
    const grpc::Status status = images::Images::NewStub(channel_)->Get(&context, request, &response);
    return status.ok() ? bounded_text(response.image().target().digest(), kRuntimeNameBytesMax) : std::string();
  }

  std::string space_;
  std::shared_ptr<grpc::Channel> channel_;
};

}  // namespace

std::unique_ptr<RuntimeClient> make_containerd_client(const std::string& socket, const std::string& space) {
  return std::make_unique<ContainerdClient>(socket, space);
}

}  // namespace redoubt::sensor
