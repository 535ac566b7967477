/** A caller that waits for its upgrade. Nothing is read from it before that is made, so its leaving must be asked for. */
import type { Duplex } from 'node:stream';

/** Until what is returned is called, a caller that ends its side has left: no WebSocket is open in one direction alone. */
export function cutWhenEnded(socket: Duplex): () => void {
  const leave = (): void => {
    socket.destroy();
  };
  socket.once('end', leave);
  return () => socket.off('end', leave);
}
