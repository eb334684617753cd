#include "query/match/needle.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <numeric>
#include <utility>

namespace redoubt::query::match {

namespace {

// How frequent a byte is in command lines, scripts and paths, which are folded to small letters: the frequent ones
// first. All others are rare.
constexpr std::string_view kFrequent = "e taoinsrlcdmpu\\.0/gh-f1yb2w:v3\"=x;k\n45(),_";

constexpr std::array<uint8_t, 256> kRarity = [] {
  std::array<uint8_t, 256> rarity{};
  rarity.fill(255);
  for (size_t i = 0; i < kFrequent.size(); ++i) {
    rarity[static_cast<unsigned char>(kFrequent[i])] = static_cast<uint8_t>(i);
  }
  return rarity;
}();

uint8_t rarity_of(char byte) { return kRarity[static_cast<unsigned char>(byte)]; }

constexpr size_t kLanes = 16;
using Lanes = uint8_t __attribute__((vector_size(kLanes)));

Lanes lanes_at(const char* bytes) {
  Lanes lanes;
  std::memcpy(&lanes, bytes, sizeof(lanes));
  return lanes;
}

Lanes all_lanes(char byte) { return Lanes{} + static_cast<uint8_t>(byte); }

}  // namespace

std::string_view rarest_part(std::string_view literal, size_t bytes) {
  constexpr size_t kLastBytes = 3;
  if (literal.size() <= bytes) return literal;
  const auto rarity = [](std::string_view part) {
    return std::accumulate(part.begin(), part.end(), 0, [](int sum, char byte) { return sum + rarity_of(byte); });
  };
  const auto rank = [&](size_t at) {
    const std::string_view part = literal.substr(at, bytes);
    return std::pair(rarity(part.substr(bytes - std::min(bytes, kLastBytes))), rarity(part));
  };
  size_t best = 0;
  for (size_t at = 1; at + bytes <= literal.size(); ++at) {
    if (rank(at) > rank(best)) best = at;
  }
  return literal.substr(best, bytes);
}

size_t rare_bytes(std::string_view literal) {
  const auto is_rare = [](char byte) { return kFrequent.find(byte) == std::string_view::npos; };
  return static_cast<size_t>(std::count_if(literal.begin(), literal.end(), is_rare));
}

Needle::Needle(std::string literal) : literal_(std::move(literal)) {
  for (size_t i = 1; i < literal_.size(); ++i) {
    if (rarity_of(literal_[i]) > rarity_of(literal_[first_])) first_ = i;
  }
  second_ = first_ == 0 && literal_.size() > 1 ? 1 : 0;
  for (size_t i = 0; i < literal_.size(); ++i) {
    if (i != first_ && rarity_of(literal_[i]) > rarity_of(literal_[second_])) second_ = i;
  }
}

bool Needle::is_in(std::string_view text) const {
  const size_t size = literal_.size();
  if (size == 0) return true;
  if (text.size() < size) return false;
  if (size == 1) return std::memchr(text.data(), literal_[0], text.size()) != nullptr;
  const Lanes first = all_lanes(literal_[first_]);
  const Lanes second = all_lanes(literal_[second_]);
  const size_t places = text.size() - size + 1;
  size_t at = 0;
  for (; at + kLanes <= places; at += kLanes) {
    const auto both = static_cast<Lanes>(lanes_at(text.data() + at + first_) == first) &
                      static_cast<Lanes>(lanes_at(text.data() + at + second_) == second);
    std::array<uint64_t, 2> halves{};
    std::memcpy(halves.data(), &both, sizeof(both));
    if ((halves[0] | halves[1]) == 0) continue;
    for (size_t lane = 0; lane < kLanes; ++lane) {
      if (both[lane] != 0 && std::memcmp(text.data() + at + lane, literal_.data(), size) == 0) return true;
    }
  }
  for (; at < places; ++at) {
    if (text[at + first_] == literal_[first_] && std::memcmp(text.data() + at, literal_.data(), size) == 0) return true;
  }
  return false;
}

}  // namespace redoubt::query::match
