#include "sensor/network/network_decode.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>

#include "redoubt/event.pb.h"

namespace redoubt::sensor {

namespace {

// Whose end is which: the opener is the source; a listener's own end is the destination, and it has no source.
enum class Direction { outbound, inbound };

struct ConnectionRow {
  rd_connection_action action;
  v1::EventType type;
  const char* name;
  Direction direction;
};

constexpr std::array kConnectionActions = {
    ConnectionRow{RD_CONNECT, v1::EVENT_TYPE_CONNECTION, "connect", Direction::outbound},
    ConnectionRow{RD_ACCEPT, v1::EVENT_TYPE_CONNECTION, "accept", Direction::inbound},
    ConnectionRow{RD_LISTEN, v1::EVENT_TYPE_LISTEN, "listen", Direction::inbound},
    ConnectionRow{RD_DUP, v1::EVENT_TYPE_SOCKET, "dup", Direction::outbound},
    ConnectionRow{RD_SEND, v1::EVENT_TYPE_CONNECTION, "send", Direction::outbound},
    ConnectionRow{RD_RECEIVE, v1::EVENT_TYPE_CONNECTION, "receive", Direction::inbound},
};

// ERESTARTSYS, which the kernel keeps to itself: a signal came in between.
constexpr int kRestart = 512;
constexpr int kErrorMax = 4095;

struct NameRow {
  int number;
  const char* name;
};

constexpr std::array kFamilies = {NameRow{AF_INET, "AF_INET"}, NameRow{AF_INET6, "AF_INET6"},
                                  NameRow{AF_PACKET, "AF_PACKET"}};
constexpr std::array kTypes = {NameRow{SOCK_RAW, "SOCK_RAW"}, NameRow{SOCK_DGRAM, "SOCK_DGRAM"},
                               NameRow{SOCK_PACKET, "SOCK_PACKET"}};

template <size_t kRows>
std::string name_in(const std::array<NameRow, kRows>& rows, int number) {
  const auto* const row = std::find_if(rows.begin(), rows.end(), [&](const NameRow& r) { return r.number == number; });
  return row != rows.end() ? row->name : std::to_string(number);
}

std::string error_name(int number) {
  if (number == kRestart) number = EINTR;
  const char* name = strerrorname_np(number);
  return name != nullptr ? name : std::to_string(number);
}

void set_source(v1::Event& event, const uint8_t* address, int version, uint16_t port) {
  event.set_source_ip(address_text(address, version));
  if (port != 0) event.set_source_port(port);
}

void set_destination(v1::Event& event, const uint8_t* address, int version, uint16_t port) {
  event.set_destination_ip(address_text(address, version));
  if (port != 0) event.set_destination_port(port);
}

// An attempt that was refused before there was a connection has no local end.
bool has_local(const rd_connection& raw) {
  const auto* const end = raw.local + RD_ADDRESS_BYTES;
  return raw.local_port != 0 || std::any_of(raw.local, end, [](uint8_t byte) { return byte != 0; });
}

void set_ends(const rd_connection& raw, Direction direction, v1::Event& event) {
  if (direction == Direction::outbound) {
    event.set_network_direction("outbound");
    if (has_local(raw)) set_source(event, raw.local, raw.version, raw.local_port);
    if (raw.has_remote != 0) set_destination(event, raw.remote, raw.version, raw.remote_port);
  } else {
    event.set_network_direction("inbound");
    if (raw.has_remote != 0) set_source(event, raw.remote, raw.version, raw.remote_port);
    set_destination(event, raw.local, raw.version, raw.local_port);
  }
}

}  // namespace

std::string address_text(const uint8_t* address, int version) {
  char text[INET6_ADDRSTRLEN] = {};
  inet_ntop(version == RD_IPV4 ? AF_INET : AF_INET6, address, text, sizeof text);
  return text;
}

Decoded decode_connection(std::string_view record, v1::Event& event) {
  if (record.size() < sizeof(rd_connection)) return Decoded::malformed;
  const auto& raw = *reinterpret_cast<const rd_connection*>(record.data());
  if (raw.version != RD_IPV4 && raw.version != RD_IPV6) return Decoded::malformed;
  if (raw.protocol != IPPROTO_TCP && raw.protocol != IPPROTO_UDP) return Decoded::malformed;
  if (raw.result > 0 || raw.result < -kErrorMax) return Decoded::malformed;
  const auto* const row = std::find_if(kConnectionActions.begin(), kConnectionActions.end(),
                                       [&](const ConnectionRow& candidate) { return candidate.action == raw.action; });
  if (row == kConnectionActions.end()) return Decoded::malformed;
  event.set_event_type(row->type);
  event.set_event_action(row->name);
  event.set_network_transport(raw.protocol == IPPROTO_TCP ? "tcp" : "udp");
  set_ends(raw, row->direction, event);
  if (raw.result < 0) event.set_error_code(error_name(-raw.result));
  if (raw.descriptor != RD_NO_DESCRIPTOR) event.set_socket_descriptor(raw.descriptor);
  if (raw.count > 1) event.set_event_count(static_cast<int64_t>(raw.count));
  if (raw.bytes > 0) event.set_network_bytes(static_cast<int64_t>(raw.bytes));
  return Decoded::yes;
}

Decoded decode_socket(std::string_view record, v1::Event& event) {
  if (record.size() < sizeof(rd_socket)) return Decoded::malformed;
  const auto& raw = *reinterpret_cast<const rd_socket*>(record.data());
  event.set_event_type(v1::EVENT_TYPE_SOCKET);
  event.set_event_action("create");
  event.set_socket_family(name_in(kFamilies, raw.family));
  event.set_socket_type(name_in(kTypes, raw.type));
  event.set_socket_protocol(raw.protocol);
  if (raw.descriptor != RD_NO_DESCRIPTOR) event.set_socket_descriptor(raw.descriptor);
  return Decoded::yes;
}

}  // namespace redoubt::sensor
