// The part of the enricher that completes security records: who changed, traced or opened what, and to whom.
#include <unistd.h>

#include <utility>

#include "sensor/auth/auth_decode.h"
#include "sensor/auth/auth_message.h"
#include "sensor/enrich.h"
#include "sensor/kernel_change/kernel_change_decode.h"
#include "sensor/tamper/tamper_decode.h"

namespace redoubt::sensor {

namespace {

// The actor as it was before the call.
rd_head with_identity(rd_head head, const Identity& identity) {
  head.actor.uid = identity.user;
  head.actor.euid = identity.effective_user;
  head.actor.gid = identity.group;
  return head;
}

rd_context with_capabilities(rd_context context, const Identity& identity) {
  context.cap_effective = identity.cap_effective;
  context.cap_permitted = identity.cap_permitted;
  return context;
}

}  // namespace

void Enricher::take_privilege(std::string_view record) {
  const std::optional<rd_privilege> change = decode_privilege(record);
  v1::Event event;
  if (!change || describe_privilege(*change, event) == Told::no) {
    ++malformed_;
    return;
  }
  Process& process = actor(change->head.actor);
  const Identity after = identity_of(change->head.actor, change->context);
  const Identity before = process.identity.value_or(after);
  const bool is_known = process.identity.has_value() && change->missed == 0;
  process.identity = after;
  // A call that left all as it was changed no privilege.
  if (is_known && before == after && change->namespaces == 0) return;
  describe_process(with_identity(change->head, before), process, event);
  describe_capabilities(with_capabilities(change->context, before), event);
  describe_namespaces(change->context, event);
  describe_change(before, after, event);
  if (const std::string& name = users_.find(after.effective_user, now_ns_); !name.empty()) {
    event.set_user_changes_effective_name(name);
  }
  send(process, std::move(event));
}

void Enricher::take_trace(std::string_view record) {
  const std::optional<rd_trace> trace = decode_trace(record);
  v1::Event event;
  if (!trace || describe_trace(*trace, event) == Told::no) {
    ++malformed_;
    return;
  }
  const Process& process = actor(trace->head.actor);
  const Process* target = target_of(*trace);
  describe_process(trace->head, process, event);
  describe_capabilities(trace->context, event);
  if (target != nullptr) {
    describe_target(*target, event);
  } else if (trace->target_pid != 0) {
    event.set_target_process_pid(trace->target_pid);
    event.set_target_process_entity_id(entity_id({trace->target_pid, trace->target_start_ns}));
  }
  const bool is_of_agent =
      event.target_process_pid() == getpid() && trace->head.actor.pid != event.target_process_pid();
  send(process, event);
  if (!is_of_agent) return;
  event.set_event_type(v1::EVENT_TYPE_TAMPER);
  send(process, std::move(event));
}

// A number in the caller's pid namespace is that of a process of this namespace; what lives further in is not found.
const Process* Enricher::target_of(const rd_trace& trace) {
  if (trace.target_pid != 0) return table_.find({trace.target_pid, trace.target_start_ns});
  if (trace.target_number == 0) return nullptr;
  const Process* found = nullptr;
  table_.for_each([&](const Process& process) {
    const bool is_it = process.life == Life::running && process.pid_namespace == trace.context.pid_namespace &&
                       process.virtual_pid == trace.target_number;
    if (is_it) found = &process;
  });
  return found;
}

void Enricher::take_kernel_change(std::string_view record, const rd_head& head) {
  v1::Event event;
  if (decode_kernel_change(record, event) == Decoded::malformed) {
    ++malformed_;
    return;
  }
  const Process& process = actor(head.actor);
  describe_process(head, process, event);
  describe_capabilities(context_of(record), event);
  send(process, std::move(event));
}

void Enricher::take_tamper(std::string_view record) {
  const std::optional<rd_tamper> tamper = decode_tamper(record);
  if (!tamper) {
    ++malformed_;
    return;
  }
  const Process& process = actor(tamper->head.actor);
  v1::Event event;
  event.set_event_type(v1::EVENT_TYPE_TAMPER);
  event.set_event_action("signal");
  event.set_signal_name(signal_name(tamper->signal));
  describe_process(tamper->head, process, event);
  event.set_target_process_pid(tamper->target_pid);
  event.set_target_process_entity_id(entity_id({tamper->target_pid, tamper->target_start_ns}));
  if (const Process* agent = table_.find({tamper->target_pid, tamper->target_start_ns})) describe_target(*agent, event);
  send(process, std::move(event));
}

void Enricher::take_auth(std::string_view record) {
  const std::optional<AuthRecord> auth = decode_auth(record);
  if (!auth) {
    ++malformed_;
    return;
  }
  const std::optional<AuthMessage> message = parse_auth_message(auth->text);
  if (!message) return;
  const Process& process = actor(auth->head.actor);
  v1::Event event;
  event.set_event_type(v1::EVENT_TYPE_AUTHENTICATION);
  event.set_event_action(message->action.empty() ? "said" : std::string(message->action));
  event.set_log_service(std::string(message->service));
  event.set_message(std::string(message->text));
  describe_process(auth->head, process, event);
  if (!message->user.empty()) event.set_user_target_name(std::string(message->user));
  if (message->user_id) event.set_user_target_id(*message->user_id);
  if (!message->method.empty()) event.set_authentication_method(std::string(message->method));
  if (!message->source_ip.empty()) event.set_source_ip(std::string(message->source_ip));
  if (message->source_port) event.set_source_port(*message->source_port);
  send(process, std::move(event));
}

void Enricher::describe_target(const Process& target, v1::Event& event) {
  const Image& image = *target.image;
  event.set_target_process_pid(target.key.pid);
  event.set_target_process_entity_id(target.entity_id);
  event.set_target_process_name(image.name);
  if (!image.executable.empty()) event.set_target_process_executable(image.executable);
  if (!image.command_line.empty()) event.set_target_process_command_line(image.command_line);
}

}  // namespace redoubt::sensor
