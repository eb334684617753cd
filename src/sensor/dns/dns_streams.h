// The messages in connections of DNS over TCP (RFC 1035, 4.2.2): each comes behind its length, in pieces of any size.
// The pieces are anyone's bytes: of a message the first kMessageBytesMax are kept, of so many connections at a time,
// and what is missing between two pieces is passed over where it lies within one message; where it does not, reading
// goes on at the next piece that begins with a whole message. Pure but for the clock that it is given; one thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <list>
#include <string>
#include <string_view>
#include <unordered_map>

namespace redoubt::sensor {

class DnsStreams {
 public:
  enum class Direction { to_server, from_server };
  struct Piece {
    uint64_t connection;
    Direction direction;
    uint32_t sequence;  // of its first byte, as TCP counts
    std::string_view bytes;
  };
  using Take = std::function<void(std::string_view message)>;
  // Hands over the messages that the piece ends, or of which no more is kept.
  void take(const Piece& piece, int64_t now_ns, const Take& take);
  // Forgets connections that were silent for kIdleNs.
  void expire(int64_t now_ns);

  size_t size() const { return by_id_.size(); }

  static constexpr size_t kStreamsMax = 512;
  static constexpr size_t kMessageBytesMax = 1024;
  static constexpr int64_t kIdleNs = 120'000'000'000;

 private:
  struct Stream {
    uint64_t id;
    int64_t used_ns = 0;
    uint32_t next = 0;    // the sequence that comes next
    std::string begun;    // the message under way, its length included
    size_t left_out = 0;  // bytes to come of a message that was handed over
    enum class Step { in, lost } step = Step::in;
  };
  Stream& find(const Piece& piece, int64_t now_ns);
  static void miss(Stream& stream, size_t bytes, const Take& take);
  static void read(Stream& stream, std::string_view bytes, const Take& take);

  std::list<Stream> streams_;  // the one that was silent longest first
  std::unordered_map<uint64_t, std::list<Stream>::iterator> by_id_;
};

}  // namespace redoubt::sensor
