#include "sensor/dns/dns_streams.h"

#include <algorithm>

#include "sensor/dns/dns_message.h"
#include "sensor/dns/dns_record.h"

namespace redoubt::sensor {

namespace {

constexpr size_t kLengthBytes = 2;

// Of a message whose length `bytes` begins with.
size_t length_in(std::string_view bytes) {
  return static_cast<size_t>(static_cast<uint8_t>(bytes[0])) << 8 | static_cast<uint8_t>(bytes[1]);
}

bool is_message_begin(std::string_view bytes) {
  if (bytes.size() < kLengthBytes + RD_DNS_HEAD_BYTES) return false;
  const size_t length = length_in(bytes);
  return length >= RD_DNS_HEAD_BYTES && parse_dns(bytes.substr(kLengthBytes, length)).has_value();
}

std::string_view take_front(std::string_view& bytes, size_t size) {
  const std::string_view front = bytes.substr(0, size);
  bytes.remove_prefix(front.size());
  return front;
}

}  // namespace

void DnsStreams::take(const Piece& piece, int64_t now_ns, const Take& take) {
  Stream& stream = find(piece, now_ns);
  std::string_view bytes = piece.bytes;
  const auto ahead = static_cast<int32_t>(piece.sequence - stream.next);
  if (ahead < 0) {
    // What is sent again was read before.
    const auto known = static_cast<size_t>(-static_cast<int64_t>(ahead));
    if (known >= bytes.size()) return;
    bytes.remove_prefix(known);
  } else if (ahead > 0) {
    miss(stream, static_cast<size_t>(ahead), take);
  }
  stream.next = piece.sequence + static_cast<uint32_t>(piece.bytes.size());
  read(stream, bytes, take);
}

DnsStreams::Stream& DnsStreams::find(const Piece& piece, int64_t now_ns) {
  const uint64_t id = piece.connection << 1 | (piece.direction == Direction::to_server ? 0 : 1);
  auto known = by_id_.find(id);
  if (known == by_id_.end()) {
    if (by_id_.size() >= kStreamsMax) {
      by_id_.erase(streams_.front().id);
      streams_.pop_front();
    }
    streams_.push_back({.id = id, .next = piece.sequence, .begun = {}});
    known = by_id_.emplace(id, std::prev(streams_.end())).first;
  } else {
    streams_.splice(streams_.end(), streams_, known->second);
  }
  known->second->used_ns = now_ns;
  return *known->second;
}

void DnsStreams::miss(Stream& stream, size_t bytes, const Take& take) {
  if (stream.left_out == 0 && stream.begun.size() > kLengthBytes) {
    // What there is of the message is its beginning.
    const std::string_view begun = stream.begun;
    take(begun.substr(kLengthBytes));
    stream.left_out = kLengthBytes + length_in(begun) - begun.size();
    stream.begun.clear();
  }
  if (bytes <= stream.left_out) {
    stream.left_out -= bytes;
    return;
  }
  stream.left_out = 0;
  stream.begun.clear();
  stream.step = Stream::Step::lost;
}

void DnsStreams::read(Stream& stream, std::string_view bytes, const Take& take) {
  if (stream.step == Stream::Step::lost) {
    if (!is_message_begin(bytes)) return;
    stream.step = Stream::Step::in;
  }
  while (!bytes.empty()) {
    if (stream.left_out > 0) {
      stream.left_out -= take_front(bytes, stream.left_out).size();
      continue;
    }
    if (stream.begun.size() < kLengthBytes) {
      stream.begun += take_front(bytes, kLengthBytes - stream.begun.size());
      if (stream.begun.size() < kLengthBytes) return;
    }
    const size_t length = length_in(stream.begun);
    if (length < RD_DNS_HEAD_BYTES) {
      stream.begun.clear();
      stream.step = Stream::Step::lost;
      return;
    }
    const size_t wanted = kLengthBytes + std::min(length, kMessageBytesMax);
    stream.begun += take_front(bytes, wanted - stream.begun.size());
    if (stream.begun.size() < wanted) return;
    take(std::string_view(stream.begun).substr(kLengthBytes));
    stream.left_out = kLengthBytes + length - wanted;
    stream.begun.clear();
  }
}

void DnsStreams::expire(int64_t now_ns) {
  while (!streams_.empty() && now_ns - streams_.front().used_ns >= kIdleNs) {
    by_id_.erase(streams_.front().id);
    streams_.pop_front();
  }
}

}  // namespace redoubt::sensor
