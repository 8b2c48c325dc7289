# Runs the cases named in the file `list` of this folder, one after another, in the guest and on the host.
# Each case is a folder: run.sh, stdin, seconds, work/ (its current folder). After each, standard output has
#   RESULT name status bytes-of-output bytes-of-errors
# and those bytes. Standard error says which case begins, so that a hang can be told from its last line.
umask 022
while read -r name <&9; do
  echo "CASE $name" >&2
  cd "$name/work" || exit 1
  read -r seconds < ../seconds
  timeout -s KILL "$seconds" sh ../run.sh < ../stdin > ../out 2> ../err 9<&-
  status=$?
  cd ../..
  echo "RESULT $name $status $(wc -c < "$name/out") $(wc -c < "$name/err")"
  cat "$name/out" "$name/err"
done 9< list
echo END
