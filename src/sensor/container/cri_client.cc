#include <grpcpp/grpcpp.h>

#include "runtime/cri.grpc.pb.h"
#include "sensor/container/grpc_call.h"
#include "sensor/container/label_text.h"
#include "sensor/container/runtime_client.h"

namespace redoubt::sensor {

namespace {

constexpr int64_t kCriNsPerUs = 1000;

std::string cri_name(const std::string& text) { return bounded_text(text, kRuntimeNameBytesMax); }

class CriClient final : public RuntimeClient {
 public:
  explicit CriClient(const std::string& socket)
      : stub_(runtime::v1::RuntimeService::NewStub(runtime_channel(socket))) {}

  Result<ContainerFacts> describe(const std::string& id) override {
    TRY(const runtime::v1::ListContainersResponse listed, list(id));
    for (const runtime::v1::Container& container : listed.containers()) {
      if (container.id() == id) return describe_container_of_pod(container);
    }
    ContainerFacts facts;
    TRY_STATUS(add_pod(id, facts));
    // A sandbox has no name of its own.
    facts.name = facts.pod_name;
    return facts;
  }

 private:
  Result<runtime::v1::ListContainersResponse> list(const std::string& id) {
    runtime::v1::ListContainersRequest request;
    request.mutable_filter()->set_id(id);
    runtime::v1::ListContainersResponse response;
    grpc::ClientContext context;
    limit_call(context);
    const grpc::Status status = stub_->ListContainers(&context, request, &response);
    if (!status.ok()) return tl::unexpected(runtime_error("list containers", status));
    return response;
  }

  Result<ContainerFacts> describe_container_of_pod(const runtime::v1::Container& container) {
    runtime::v1::ContainerStatusRequest request;
    request.set_container_id(container.id());
    runtime::v1::ContainerStatusResponse response;
    grpc::ClientContext context;
    limit_call(context);
    const grpc::Status status = stub_->ContainerStatus(&context, request, &response);
    if (!status.ok()) return tl::unexpected(runtime_error("status of container " + container.id(), status));
    ContainerFacts facts;
    facts.name = cri_name(response.status().metadata().name());
    set_image(facts, response.status().image().image());
    set_image(facts, response.status().image_ref());
    facts.start_us = response.status().created_at() / kCriNsPerUs;
    facts.labels = label_lines(label_map(response.status().labels()));
    TRY_STATUS(add_pod(container.pod_sandbox_id(), facts));
    return facts;
  }

  Status add_pod(const std::string& sandbox, ContainerFacts& facts) {
    runtime::v1::ListPodSandboxRequest request;
    request.mutable_filter()->set_id(sandbox);
    runtime::v1::ListPodSandboxResponse response;
    grpc::ClientContext context;
    limit_call(context);
    const grpc::Status status = stub_->ListPodSandbox(&context, request, &response);
    if (!status.ok()) return tl::unexpected(runtime_error("list pods", status));
    for (const runtime::v1::PodSandbox& pod : response.items()) {
      if (pod.id() != sandbox) continue;
      const LabelMap labels = label_map(pod.labels());
      const LabelMap annotations = label_map(pod.annotations());
      facts.pod_name = cri_name(pod.metadata().name());
      facts.pod_namespace = cri_name(pod.metadata().namespace_());
      facts.pod_uid = cri_name(pod.metadata().uid());
      facts.pod_labels = label_lines(labels);
      facts.pod_annotations = label_lines(annotations);
      Workload owner = workload_of(facts.pod_name, labels, annotations);
      facts.owner_type = std::move(owner.type);
      facts.owner_name = std::move(owner.name);
      if (facts.start_us == 0) facts.start_us = pod.created_at() / kCriNsPerUs;
      return {};
    }
    return fail(Errc::not_found, "no pod or container " + sandbox);
  }

  std::unique_ptr<runtime::v1::RuntimeService::Stub> stub_;
};

}  // namespace

std::unique_ptr<RuntimeClient> make_cri_client(const std::string& socket) {
  return std::make_unique<CriClient>(socket);
}

}  // namespace redoubt::sensor
