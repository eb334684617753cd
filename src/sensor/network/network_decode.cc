#include "sensor/network/network_decode.h"

#include <arpa/inet.h>

#include <string>

#include "redoubt/event.pb.h"

namespace redoubt::sensor {

namespace {

std::string address_text(const uint8_t* address, int version) {
  char text[INET6_ADDRSTRLEN] = {};
  inet_ntop(version == RD_IPV4 ? AF_INET : AF_INET6, address, text, sizeof text);
  return text;
}

void set_source(v1::Event& event, const uint8_t* address, int version, uint16_t port) {
  event.set_source_ip(address_text(address, version));
  if (port != 0) event.set_source_port(port);
}

void set_destination(v1::Event& event, const uint8_t* address, int version, uint16_t port) {
  event.set_destination_ip(address_text(address, version));
  if (port != 0) event.set_destination_port(port);
}

}  // namespace

Decoded decode_connection(std::string_view record, v1::Event& event) {
  if (record.size() < sizeof(rd_connection)) return Decoded::malformed;
  const auto& raw = *reinterpret_cast<const rd_connection*>(record.data());
  if (raw.version != RD_IPV4 && raw.version != RD_IPV6) return Decoded::malformed;
  event.set_event_type(v1::EVENT_TYPE_CONNECTION);
  event.set_network_transport("tcp");
  if (raw.direction == RD_OUTBOUND) {
    event.set_event_action("connect");
    event.set_network_direction("outbound");
    set_source(event, raw.local, raw.version, raw.local_port);
    set_destination(event, raw.remote, raw.version, raw.remote_port);
  } else if (raw.direction == RD_INBOUND) {
    event.set_event_action("accept");
    event.set_network_direction("inbound");
    set_source(event, raw.remote, raw.version, raw.remote_port);
    set_destination(event, raw.local, raw.version, raw.local_port);
  } else {
    return Decoded::malformed;
  }
  return Decoded::yes;
}

}  // namespace redoubt::sensor
